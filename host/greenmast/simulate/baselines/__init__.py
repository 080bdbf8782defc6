"""The incumbents' rules, as controllers for the same plant, weather and outages as Greenmast's own.

`catalogue` has their names; each module beside it is one rule, or one part of the cabinet that they share.
They see what the real ones see: the points of a snapshot.
"""
