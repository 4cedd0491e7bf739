"""Beside the road: what a customer in the walled garden still reaches, written as a filter for the access equipment.

RADIUS only names the filter (`Filter-Id`); the filter itself lives in the operator's equipment. This module writes an
example of it from the same settings, so that pay page, payment, bank log-in, emergency and help are never forgotten.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from ipaddress import IPv4Address

from relight.flow.supply.port import WrongSettings

PURPOSES: Mapping[str, str] = {
    "pay_page": "the page where the bill is paid",
    "payment_providers": "card, wallet and mobile payment",
    "bank_login": "bank log-in and electronic identity",
    "emergency": "emergency numbers over broadband telephony, and public warnings",
    "help": "debt advice, the municipality, health, and the company's own help pages",
}
STYLES = ("mikrotik", "nftables")

_HOST = re.compile(r"(?=.{1,253}\Z)[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?(\.[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?)+", re.I)
_NAME = re.compile(r"[A-Za-z0-9_-]{1,31}")


@dataclass(frozen=True, slots=True)
class Garden:
    """A walled garden: the filter's name, the portal that plain HTTP is led to, the resolvers, and hosts by purpose."""

    filter_name: str
    portal: str
    resolvers: tuple[str, ...]
    allow: Mapping[str, tuple[str, ...]]


def read_garden(raw: object) -> Garden:
    """The setting `garden`, checked: every purpose must be open for at least one host. Raises WrongSettings."""
    if not isinstance(raw, Mapping):
        raise WrongSettings("radius: `garden` must have filter, portal, resolvers and allow")
    wrong = set(raw) - {"filter", "portal", "resolvers", "allow"}
    if wrong:
        raise WrongSettings(f"radius: `garden.{min(map(str, wrong))}` is not a setting")
    filter_name = raw.get("filter", "walled-garden")
    if not isinstance(filter_name, str) or not _NAME.fullmatch(filter_name):
        raise WrongSettings("radius: `garden.filter` must be letters, digits, - and _ (at most 31)")
    (portal,) = _hosts("garden.portal", [raw.get("portal")])
    return Garden(
        filter_name=filter_name,
        portal=portal,
        resolvers=_resolvers(raw.get("resolvers")),
        allow=_allow(raw.get("allow")),
    )


def render_filter(garden: Garden, style: str) -> str:
    """The filter as text an operator can read, adapt and load. `style` is one of STYLES, else ValueError."""
    if style == "mikrotik":
        return _mikrotik(garden)
    if style == "nftables":
        return _nftables(garden)
    raise ValueError(f"no such filter style: {style}; known are {', '.join(STYLES)}")


def _allow(raw: object) -> Mapping[str, tuple[str, ...]]:
    if not isinstance(raw, Mapping):
        raise WrongSettings(f"radius: `garden.allow` must list hosts under {', '.join(PURPOSES)}")
    wrong = set(raw) - set(PURPOSES)
    if wrong:
        raise WrongSettings(f"radius: `garden.allow.{min(map(str, wrong))}` is unknown; use {', '.join(PURPOSES)}")
    return {purpose: _hosts(f"garden.allow.{purpose}", raw.get(purpose)) for purpose in PURPOSES}


def _hosts(name: str, raw: object) -> tuple[str, ...]:
    if not isinstance(raw, list | tuple) or not raw:
        raise WrongSettings(f"radius: `{name}` must list at least one host; a garden without it locks people in")
    for host in raw:
        if not isinstance(host, str) or not _HOST.fullmatch(host):
            raise WrongSettings(f"radius: `{name}` has {host!r}; write host names or IPv4 addresses only")
    return tuple(raw)


def _resolvers(raw: object) -> tuple[str, ...]:
    hosts = _hosts("garden.resolvers", raw)
    for host in hosts:
        try:
            IPv4Address(host)
        except ValueError:
            raise WrongSettings(f"radius: `garden.resolvers` has {host!r}; write IPv4 addresses") from None
    return hosts


def _mikrotik(garden: Garden) -> str:
    name = garden.filter_name
    lines = [f"# Walled garden {name}. RADIUS: Mikrotik-Address-List := {name}", "/ip firewall address-list"]
    for purpose, hosts in garden.allow.items():
        lines.append(f"# {purpose}: {PURPOSES[purpose]}")
        lines += [f'add list={name}-allow address={host} comment="{purpose}"' for host in hosts]
    lines.append(f'add list={name}-allow address={garden.portal} comment="portal"')
    lines += [f'add list={name}-dns address={host} comment="resolver"' for host in garden.resolvers]
    lines += [
        "/ip firewall filter",
        f"add chain=forward src-address-list={name} dst-address-list={name}-dns protocol=udp dst-port=53 action=accept",
        f"add chain=forward src-address-list={name} dst-address-list={name}-dns protocol=tcp dst-port=53 action=accept",
        f"add chain=forward src-address-list={name} dst-address-list={name}-allow action=accept",
        f"add chain=forward src-address-list={name} action=reject reject-with=icmp-admin-prohibited",
        "/ip firewall nat",
        f"# Plain HTTP is led to the portal {garden.portal}; put its IPv4 address here.",
        f"add chain=dstnat src-address-list={name} dst-address-list=!{name}-allow protocol=tcp dst-port=80 "
        "action=dst-nat to-addresses=PORTAL_IPV4",
    ]
    return "\n".join(lines) + "\n"


def _nftables(garden: Garden) -> str:
    name = garden.filter_name
    lines = [f"# Walled garden {name}, part 1: dnsmasq fills the set with what these names resolve to"]
    for purpose, hosts in garden.allow.items():
        lines.append(f"# {purpose}: {PURPOSES[purpose]}")
        lines += [f"nftset=/{host}/4#inet#{name}#allow" for host in hosts]
    lines += [
        f"nftset=/{garden.portal}/4#inet#{name}#allow",
        "",
        f"# part 2: nftables; the access server adds the address of each session with Filter-Id {name} to `members`",
        f"table inet {name} {{",
        "  set allow { type ipv4_addr; }",
        "  set members { type ipv4_addr; }",
        f"  define resolvers = {{ {', '.join(garden.resolvers)} }}",
        "  chain lead {",
        "    type nat hook prerouting priority dstnat;",
        "    ip saddr @members tcp dport 80 ip daddr != @allow dnat ip to PORTAL_IPV4",
        "  }",
        "  chain garden {",
        "    type filter hook forward priority filter;",
        "    ip saddr @members ip daddr $resolvers meta l4proto { tcp, udp } th dport 53 accept",
        "    ip saddr @members ip daddr @allow accept",
        "    ip saddr @members reject with icmpx admin-prohibited",
        "  }",
        "}",
    ]
    return "\n".join(lines) + "\n"
