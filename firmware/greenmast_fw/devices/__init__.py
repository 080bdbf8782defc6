"""Device profiles: one module of immutable register tables per product, loaded when a site names it."""
