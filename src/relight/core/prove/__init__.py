"""Proof: every path of a policy held against the law packs before it goes live."""
