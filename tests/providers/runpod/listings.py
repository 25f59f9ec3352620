"""A small catalog with the traps of the real one in it."""

from typing import Any


def gpu(name: str, short: str, memory: int, **facts: Any) -> dict[str, Any]:
    """One kind of GPU as the catalog lists it: sold in the secure cloud unless `facts` say else."""
    plain = {
        "id": name,
        "name": short,
        "memory": memory,
        "pool": None,
        "manufacturer": "NVIDIA",
        "secure": True,
        "community": False,
        "price": {"secure": 1.0, "community": 0.0},
        "maxCount": {"secure": 8, "community": 4},
        "availability": "HIGH",
        "dataCenters": [],
    }
    return plain | facts


def centers(**levels: str) -> list[dict[str, str]]:
    return [
        {"id": name.replace("_", "-"), "name": name, "availability": level}
        for name, level in levels.items()
    ]


RTX_4090 = gpu(
    "NVIDIA GeForce RTX 4090",
    "RTX 4090",
    24,
    community=True,
    price={"secure": 0.69, "community": 0.34},
    availability="MEDIUM",
    dataCenters=centers(EU_RO_1="MEDIUM", US_TX_3="LOW", EU_SE_1="NONE"),
)
H100_SXM = gpu("NVIDIA H100 80GB HBM3", "H100 SXM", 80, price={"secure": 3.29, "community": 2.69})
H100_PCIE = gpu("NVIDIA H100 PCIe", "H100 PCIe", 80, price={"secure": 2.89, "community": 0})
H100_NVL = gpu("NVIDIA H100 NVL", "H100 NVL", 94, price={"secure": 3.19, "community": 0})
B200 = gpu("NVIDIA B200", "B200", 180, price={"secure": 5.89, "community": 0.5})
RTX_3070 = gpu(
    "NVIDIA GeForce RTX 3070",
    "RTX 3070",
    8,
    secure=False,
    community=True,
    price={"secure": 0, "community": 0.13},
)
A40 = gpu("NVIDIA A40", "A40", 48, price={"secure": 0.44, "community": 0}, availability="NONE")
UNKNOWN = gpu("unknown", "unknown", 0, price={"secure": 0, "community": 0})
SLICE = gpu(
    "NVIDIA RTX PRO 6000 Blackwell Server Edition MIG 1g.24gb",
    "PRO 6000 MIG 24GB",
    24,
    price={"secure": 0.2, "community": 0},
)
FREE = gpu("NVIDIA L4", "L4", 24, price={"secure": 0, "community": 0})
CATALOG = [RTX_4090, H100_SXM, H100_PCIE, H100_NVL, B200, RTX_3070, A40, UNKNOWN, SLICE, FREE]
