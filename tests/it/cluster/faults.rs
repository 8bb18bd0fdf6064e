//! What goes wrong on a cluster, and what becomes of the run: one verdict with a reason, at most one set of results, and
//! nothing left.
