"""Policies: the cluster's own ValidatingAdmissionPolicy files, judged over what is rendered.

`schemas/policies.md` says line by line what of a policy means what here.
"""
