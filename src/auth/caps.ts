/**
 * Capabilities: what an entity may do, per service, in Ceph's grammar.
 * ceph: src/osd/OSDCap.cc, src/mon/MonCap.cc
 */

/** Cap texts by service ("mon", "osd", "mgr", "mds"), as `auth get-or-create` was given them. */
export type EntityCaps = Readonly<Record<string, string>>;
