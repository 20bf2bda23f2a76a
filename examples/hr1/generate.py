#!/usr/bin/env python3
"""Writes the dossier of the reference hospital HR-1 (or HR-XL, of national scale): every host by its own name.

    examples/hr1/generate.py FOLDER [--xl]

The same arguments give the same bytes: names, places and addresses are counted, not drawn by lot.
"""

import argparse
import os

# Where care is given and work is done; a number of wards for each building.
SITES = {
    "nord": {"building-a": 12, "building-b": 9, "building-c": 6, "logistics": 2},
    "sud": {"main": 10, "maternity": 4, "imaging": 2},
    "ville": {"consultations": 3, "psychiatry": 5},
}
SERVICES = ("emergency", "admissions", "laboratory", "pharmacy", "imaging", "surgery", "maternity", "hr")
# What a server is for, in turn.
ROLES = ("application", "database", "file", "interface", "web", "print")

# class, prefix, zone, trust, how many in HR-1 and in HR-XL; what can never carry an agent stands below the line.
SORTS = (
    ("workstation", "ws-", "dirty", "unknown", 3200, 85000),
    ("server", "srv-", "dirty", "suspect", 380, 4100),
    ("hypervisor", "hv-", "dirty", "suspect", 24, 300),
    ("domain_controller", "dc-", "dirty", "compromised", 4, 40),
    ("monitoring_station", "mon-", "biomedical", "unknown", 12, 60),
    # ----
    ("medical_device", "med-", "biomedical", "unknown", 1390, 18000),
    ("modality", "mod-", "biomedical", "unknown", 60, 700),
    ("printer", "prn-", "dirty", "unknown", 610, 9000),
    ("network", "net-", "trust_core", "checked", 240, 3500),
    ("telephony", "tel-", "building", "trusted", 18, 200),
    ("building", "bms-", "building", "trusted", 14, 150),
    ("loaned_pc", "loan-", "quarantine", "unknown", 90, 2000),
)
# The second number of the first address 10.x.0.1 of each zone.
NETWORK_OF = {"dirty": 0, "biomedical": 16, "trust_core": 32, "building": 48, "quarantine": 64}


def places():
    """Every ward, as (site, building, ward)."""
    return [(site, building, f"{building}-{ward:02}") for site, buildings in SITES.items()
            for building, wards in buildings.items() for ward in range(1, wards + 1)]


def host(sort, number, all_places, address):
    asset_class, prefix, zone, trust, _, _ = sort
    site, building, ward = all_places[number % len(all_places)]
    labels = {"site": site, "building": building, "ward": ward, "service": SERVICES[number // 7 % len(SERVICES)]}
    if asset_class == "server":
        labels["role"] = ROLES[number % len(ROLES)]
    if asset_class == "workstation" and number <= 4:
        labels["post"] = "agiletime"  # Staff planning comes back on exactly four.
    lines = [f"  - name: {prefix}{number:05}", f"    class: {asset_class}", f"    zone: {zone}", f"    trust: {trust}"]
    if asset_class == "loaned_pc":
        lines.append("    agent: false  # Until it was admitted through quarantine.")
    lines.append(f"    address: {address}")
    lines.append("    labels: {" + ", ".join(f"{key}: {value}" for key, value in labels.items()) + "}")
    return lines


def inventory(xl):
    name = "hr-xl" if xl else "hr-1"
    lines = ["apiVersion: reprise/v1", "kind: Inventory", "metadata:", f"  name: {name}",
             f"  title: Reference hospital {name.upper()}", "hosts:"]
    all_places, used = places(), {}
    for sort in SORTS:
        for number in range(1, sort[5 if xl else 4] + 1):
            used[sort[2]] = index = used.get(sort[2], 0) + 1
            address = f"10.{NETWORK_OF[sort[2]] + (index >> 16)}.{index >> 8 & 255}.{index & 255}"
            lines += host(sort, number, all_places, address)
    return "\n".join(lines) + "\n"


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("folder", help="where the documents are written; made when it is not there")
    parser.add_argument("--xl", action="store_true", help="HR-XL: 85,000 workstations and 4,500 servers")
    asked = parser.parse_args()
    os.makedirs(asked.folder, exist_ok=True)
    here = os.path.dirname(os.path.abspath(__file__))
    with open(os.path.join(here, "edr-campaign.yaml"), encoding="utf-8") as file:
        workflow = file.read()
    for name, text in (("inventory.yaml", inventory(asked.xl)), ("edr-campaign.yaml", workflow)):
        with open(os.path.join(asked.folder, name), "w", encoding="utf-8") as file:
            file.write(text)


if __name__ == "__main__":
    main()
