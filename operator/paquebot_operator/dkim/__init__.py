"""DKIM keys of domains: made, published, seen, used, replaced. Pure.

`advance.advance` is what a reconciler calls for a MailDomain that holds its domain, and does as its docstring says;
`contest.contend` for one that does not; `ownership.holder` tells which is which.
"""
