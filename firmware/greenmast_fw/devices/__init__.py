"""Device profiles: one module of immutable register tables per product, loaded when a site names it."""

TYPE_CHECKING = False
if TYPE_CHECKING:
    from greenmast_fw.devices.profile import Profile

PROFILES = (
    "daly-bms",
    "dse-7320",
    "eastron-sdm230",
    "epever-tracer-an",
    "meanwell-drs",
    "pzem-017",
    "seplos-v3",
)


def load(name: str) -> "Profile":
    """The profile module `name`.

    Raises KeyError for one that does not exist; those not asked for cost no memory.
    """
    if name not in PROFILES:
        raise KeyError(name)
    module = "greenmast_fw.devices." + name.replace("-", "_")
    return __import__(module, None, None, ("NAME",))
