/**
 * Connection features, as 16.2 advertises them: every encoding of ours is the one for this set.
 * ceph: src/include/ceph_features.h
 */

/** What we advertise: exactly Ceph 16.2.15's set, so all peers settle on one encoding per type. */
export const FEATURES_SUPPORTED = 0x3f01_cfbd_fffd_ffffn;
/** Without MSG_ADDR2 a peer could not read our addresses. */
export const FEATURE_MSG_ADDR2 = 0x0800_0000_0000_0000n;
export const FEATURE_OSDREPLYMUX = 0x1000n;
/** The msgr2.1 bit of the banner. */
export const MSGR2_FEATURE_REVISION_1 = 1n;
