/** What we are: our own version, and the Ceph release whose behaviour clients get. */

export const VERSION = "0.1.0";
/** Clients look at the release number and its name; the rest is ours. */
export const CEPH_VERSION = "16.2.15";
export const CEPH_RELEASE_NAME = "pacific";
export const VERSION_TEXT = `ceph version ${CEPH_VERSION} (spirula ${VERSION}) ${CEPH_RELEASE_NAME} (stable)`;
