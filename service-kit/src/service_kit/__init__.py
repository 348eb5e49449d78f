"""Plumbing shared by all services of Caisse; it names no business concept.

A module is admitted only when two services need it, and when it is a pure helper or an ``init_app``.
"""
