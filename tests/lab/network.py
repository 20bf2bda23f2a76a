"""The lab's network: a router (the keeper's network namespace) with one cable to each host and one to this machine.

Every host has an address of its own, 10.77.N.H, and reaches the router, 10.77.N.1, and through it the other hosts. The
coordinator runs at the router's address. This machine reaches the router only; nothing of the lab reaches anything
outside. N is one that neither another lab nor this machine uses.

A host may stand behind another, its gateway: then its only cable leads there, its address is 10.78.N.H, and whether
anything passes is the gateway's matter. Where there is a gateway, all have IPv6 addresses too: fd00:77:N::H, fd00:78:N::H.
"""

import fcntl
import os
import re

from namespaces import LabError, call, enter

FIRST_HOST = 11
HOSTS_MAX = 240
_TABLE = "reprise_lab"


def subnet_is_free(number):
    routes = call(["ip", "-4", "route", "show", "table", "all"], "reading this machine's routes")
    return not re.search(rf"\b10\.77\.{number}\.", routes)


class Network:
    def __init__(self, keeper_pid, subnet):
        self.keeper, self.subnet = keeper_pid, subnet
        self.router = f"10.77.{subnet}.1"
        self.uplink = f"lab{subnet}"  # The machine's end of its cable.

    def address(self, number, inside=False):
        return f"10.{78 if inside else 77}.{self.subnet}.{FIRST_HOST + number}"

    def address6(self, number, inside=False):
        return f"fd00:{78 if inside else 77}:{self.subnet:x}::{FIRST_HOST + number:x}"

    @property
    def router6(self):
        return f"fd00:77:{self.subnet:x}::1"

    # What a gateway has on the bridge to its hosts, and their networks.
    @property
    def inside_gateway(self):
        return f"10.78.{self.subnet}.1"

    @property
    def inside_gateway6(self):
        return f"fd00:78:{self.subnet:x}::1"

    @property
    def inside_networks(self):
        return [f"10.78.{self.subnet}.0/24", f"fd00:78:{self.subnet:x}::/64"]

    # ---- making ----

    @classmethod
    def make(cls, keeper_pid):
        """Takes the first free subnet; two labs that start together do not take the same."""
        with open("/run/lock/reprise-lab" if os.path.isdir("/run/lock") else "/tmp/reprise-lab.lock", "w",
                  encoding="utf-8") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            for number in range(1, 255):
                if subnet_is_free(number):
                    network = cls(keeper_pid, number)
                    network._lay_uplink()
                    break
            else:
                raise LabError("no subnet 10.77.N.0/24 is free on this machine; end other labs (tests/lab/lab down)")
        network._set_up_router()
        return network

    def _lay_uplink(self):
        self._here("link", "add", self.uplink, "type", "veth", "peer", "name", "uplink", "netns", str(self.keeper))
        self._here("addr", "add", f"10.77.{self.subnet}.254/32", "dev", self.uplink)
        self._here("link", "set", self.uplink, "up")
        self._here("route", "add", f"{self.router}/32", "dev", self.uplink, "src", f"10.77.{self.subnet}.254")

    def _set_up_router(self):
        self._router("link", "set", "lo", "up")
        self._router("addr", "add", f"{self.router}/32", "dev", "lo")
        self._router("link", "set", "uplink", "up")
        self._router("route", "add", f"10.77.{self.subnet}.254/32", "dev", "uplink", "src", self.router)
        self._in_keeper("sysctl", "-q", "-w", "net.ipv4.ip_forward=1")
        self._nft(f"add table inet {_TABLE}",
                  f"add set inet {_TABLE} cut {{ type ifname; }}",
                  f"add chain inet {_TABLE} in {{ type filter hook input priority 0; }}",
                  f"add rule inet {_TABLE} in iifname @cut drop",
                  f"add chain inet {_TABLE} through {{ type filter hook forward priority 0; }}",
                  f"add rule inet {_TABLE} through iifname @cut drop",
                  f"add rule inet {_TABLE} through oifname @cut drop",
                  # Hosts speak to the router and among themselves, never to the machine that they run on.
                  f"add rule inet {_TABLE} through iifname uplink drop",
                  f"add rule inet {_TABLE} through oifname uplink drop",
                  f"add chain inet {_TABLE} out {{ type filter hook output priority 0; }}",
                  f"add rule inet {_TABLE} out oifname @cut drop")

    def plug_in(self, number, pid):
        """A cable from the router to the network namespace of the process `pid`."""
        cable, address = self.cable(number), self.address(number)
        self._router("link", "add", cable, "type", "veth", "peer", "name", "eth0", "netns", str(pid))
        self._router("link", "set", cable, "up")
        self._router("route", "add", f"{address}/32", "dev", cable, "src", self.router)
        inside = [*enter(pid, "net"), "ip"]
        for words in (["link", "set", "lo", "up"], ["addr", "add", f"{address}/32", "dev", "eth0"],
                      ["link", "set", "eth0", "up"], ["route", "add", f"{self.router}/32", "dev", "eth0"],
                      ["route", "add", "default", "via", self.router, "dev", "eth0"]):
            call([*inside, *words], f"the network of {address}")

    # ---- behind a gateway ----

    def speak_six(self):
        """The router's part of IPv6; once."""
        self._in_keeper("sysctl", "-q", "-w", "net.ipv6.conf.all.forwarding=1")
        self._router("addr", "add", f"{self.router6}/128", "dev", "lo", "nodad")

    def plug_in_six(self, number, pid):
        """An IPv6 address for a host that is plugged in."""
        cable, address = self.cable(number), self.address6(number)
        self._router("addr", "add", "fe80::1/64", "dev", cable, "nodad")
        self._router("route", "add", f"{address}/128", "dev", cable, "src", self.router6)
        self._at(pid, "addr", "add", f"{address}/128", "dev", "eth0", "nodad")
        self._at(pid, "route", "add", "default", "via", "fe80::1", "dev", "eth0")

    def make_gateway(self, number, pid):
        """A bridge on the gateway, to which its hosts are plugged; the router learns that they are behind it. It forwards
        nothing yet: who makes the gateway turns that on."""
        self._at(pid, "link", "add", "inside", "type", "bridge")
        self._at(pid, "addr", "add", f"{self.inside_gateway}/24", "dev", "inside")
        self._at(pid, "addr", "add", f"{self.inside_gateway6}/64", "dev", "inside", "nodad")
        self._at(pid, "link", "set", "inside", "up")
        self._router("route", "replace", self.inside_networks[0], "via", self.address(number), "dev", self.cable(number),
                     "src", self.router, "onlink")
        self._at(pid, "addr", "add", f"fe80::{FIRST_HOST + number:x}/64", "dev", "eth0", "nodad")
        self._router("route", "replace", self.inside_networks[1], "via", f"fe80::{FIRST_HOST + number:x}", "dev",
                     self.cable(number), "src", self.router6)

    def plug_behind(self, gateway_pid, number, pid):
        """A cable from the gateway's bridge to a host."""
        cable, there = f"in{number}", ["dev", "eth0"]
        self._at(gateway_pid, "link", "add", cable, "type", "veth", "peer", "name", "eth0", "netns", str(pid))
        self._at(gateway_pid, "link", "set", cable, "master", "inside", "up")
        for words in (["link", "set", "lo", "up"], ["addr", "add", f"{self.address(number, True)}/24", *there],
                      ["addr", "add", f"{self.address6(number, True)}/64", *there, "nodad"], ["link", "set", "eth0", "up"],
                      ["route", "add", "default", "via", self.inside_gateway, *there],
                      ["route", "add", "default", "via", self.inside_gateway6, *there]):
            self._at(pid, *words)

    def _at(self, pid, *words):
        call([*enter(pid, "net"), "ip", *words], f"the network of process {pid}")

    def cable(self, number):
        return f"host{number}"

    def cables(self):
        """Names of the router's ends of all cables."""
        return re.findall(r"^\d+: ([^:@]+)", call([*enter(self.keeper, "net"), "ip", "-o", "link"], "the lab's router"), re.M)

    # ---- faults ----

    def cut(self, number):
        """Packets of the host are dropped in both directions; nobody is told."""
        self._nft(f"add element inet {_TABLE} cut {{ {self.cable(number)} }}")

    def mend(self, number):
        self._nft(f"delete element inet {_TABLE} cut {{ {self.cable(number)} }}")

    def is_cut(self, number):
        said = call([*enter(self.keeper, "net"), "nft", "list", "set", "inet", _TABLE, "cut"], "reading the cuts")
        return f'"{self.cable(number)}"' in said

    # ---- ending ----

    def remove(self):
        """The namespaces take their ends of the cables along; this machine's end is gone once one is."""
        device = f"/sys/class/net/{self.uplink}"
        if not os.path.exists(device):
            return
        try:
            call(["ip", "link", "delete", self.uplink], f"removing {self.uplink}")
        except LabError:
            # The kernel was taking the other end away meanwhile.
            if os.path.exists(device):
                raise

    def _here(self, *words):
        call(["ip", *words], "the cable between this machine and the lab")

    def _router(self, *words):
        call([*enter(self.keeper, "net"), "ip", *words], "the lab's router")

    def _in_keeper(self, *words):
        call([*enter(self.keeper, "net"), *words], "the lab's router")

    def _nft(self, *rules):
        call([*enter(self.keeper, "net"), "nft", "\n".join(rules)], "the lab's firewall")
