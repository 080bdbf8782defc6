"""Pictures of a run, one module for each kind. SVG as text; the same colour is the same source everywhere."""
