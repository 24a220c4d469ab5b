/**
 * Connection features, as 16.2 advertises them: every encoding of ours is the one for this set.
 * What a client can read besides, it says besides.
 * ceph: src/include/ceph_features.h
 */

/** What we advertise: exactly Ceph 16.2.15's set, so all peers settle on one encoding per type. */
export const FEATURES_SUPPORTED = 0x3f01_cfbd_fffd_ffffn;
/** Placement by MSR rules: a cluster that has one turns away who does not know them.  ceph: 19.2 */
const FEATURE_CRUSH_MSR = 0x40_0000_0000n;
/** What a client advertises: daemons send it what 16.2 would get, and the tunables of MSR rules. */
export const CLIENT_FEATURES = FEATURES_SUPPORTED | FEATURE_CRUSH_MSR;
/** Without MSG_ADDR2 a peer could not read our addresses. */
export const FEATURE_MSG_ADDR2 = 0x0800_0000_0000_0000n;
export const FEATURE_OSDREPLYMUX = 0x1000n;
/** The msgr2.1 bit of the banner. */
export const MSGR2_FEATURE_REVISION_1 = 1n;
