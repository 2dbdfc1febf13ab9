"""Micro-segments: active customers who behave alike, found by clustering, kept over time, described in words."""
