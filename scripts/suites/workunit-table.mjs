// Which of Ceph's shell suites are run, how long one may take, and what is known of it.

/**
 * @typedef {object} Workunit
 * @property {string} name file below qa/workunits, and after a colon the section of it
 * @property {number} [minutes] limit; 10 if not given
 * @property {string[]} [needs] programs that it alone runs
 * @property {string} [real] why it fails on a real 16.2.15 of one monitor and one OSD; not given: it passes there
 * @property {string} [ours] why it fails on Spirula though it passes there; not given: it has to pass
 * @property {Pick<Workunit, "real" | "ours">} [several] what holds in place of both with several OSDs
 * @property {Readonly<Record<string, string>>} [own] by command, why it fails with this package's own in place of
 *   the original, on any cluster; not given: it has to pass with it, too
 */

const EC = "erasure-coded pools";
const COPIES = "several copies of an object";
const CRUSH = "CRUSH editing";
/** What `spirula rbd` does not do. */
const OWN = {
  imports: {
    own: { rbd: "migration prepare --import-only, from files and streams of other formats" },
  },
  journals: { own: { rbd: "journals of images" } },
};

/** @type {readonly Workunit[]} */
export const WORKUNITS = [
  ...parts("rbd/cli_generic.sh", {
    test_pool_image_args: {},
    test_rename: {},
    test_ls: { minutes: 30 },
    test_remove: {},
    test_migration: {},
    test_config: {},
    test_others: {},
    test_locking: {},
    test_thick_provision: { minutes: 30 },
    test_clone: {},
    test_trash: {},
    test_purge: {},
    test_deep_copy_clone: {},
    test_clone_v2: {},
    test_namespace: {},
    test_trash_purge_schedule: { minutes: 15 },
    test_mirror_snapshot_schedule: { minutes: 15 },
  }),
  { name: "rbd/cli_migration.sh", minutes: 30, ...OWN.imports },
  { name: "rbd/diff.sh" },
  { name: "rbd/diff_continuous.sh", minutes: 20 },
  { name: "rbd/import_export.sh" },
  { name: "rbd/journal.sh", ...OWN.journals },
  { name: "rbd/merge_diff.sh", minutes: 20, needs: ["rbd-fuse", "fusermount"] },
  { name: "rbd/permissions.sh" },
  { name: "rbd/qos.sh", minutes: 30 },
  { name: "rbd/rbd_groups.sh" },
  { name: "rbd/read-flags.sh", own: { rbd: "a log of the client's messages" } },
  { name: "rbd/test_admin_socket.sh", own: { rbd: "an admin socket of the client" } },
  { name: "rbd/test_lock_fence.sh" },
  { name: "rbd/test_rbd_tasks.sh", minutes: 20 },
  { name: "rbd/verify_pool.sh" },
  { name: "rados/load-gen-mix-small.sh", minutes: 20 },
  { name: "rados/test_pool_access.sh" },
  { name: "rados/test_pool_quota.sh" },
  {
    name: "rados/test_rados_timeouts.sh",
    minutes: 1,
    real: "its first command, rados lspools with the OSD map held back, waits for good",
  },
  {
    name: "rados/test_rados_tool.sh",
    minutes: 15,
    real: "wants three OSDs: an erasure-coded pool",
    several: { ours: EC },
  },
  { name: "rados/version_number_sanity.sh" },
  { name: "mon/auth_caps.sh" },
  { name: "mon/caps.sh", minutes: 15 },
  { name: "mon/config.sh" },
  { name: "mon/rbd_snaps_ops.sh" },
  { name: "mon/test_config_key_caps.sh", minutes: 30 },
  ...parts("cephtool/test.sh", {
    mon_injectargs: {},
    mon_injectargs_SI: {},
    auth: {},
    auth_profiles: {},
    mon_misc: {},
    mon_mon: { real: "wants three monitors" },
    mon_osd: { real: "wants three OSDs", several: { ours: CRUSH } },
    mon_config_key: {},
    mon_osd_pool: { ours: EC },
    mon_osd_pool_quota: {},
    mon_pg: { real: "wants three OSDs", several: { ours: COPIES } },
    mon_osd_pool_set: {
      real: "wants two OSDs",
      several: { real: "its PGs did not become clean in the time it waits" },
    },
    mon_tell: { real: "wants a second monitor" },
    mon_ping: { real: "wants a second monitor" },
    mon_deprecated_commands: {},
    mon_caps: {},
    mon_cephdf_commands: { real: "wants two OSDs", several: { ours: COPIES } },
    mon_pool_application: { real: "wants a pool without an application" },
    mon_stdin_stdout: {},
    osd_bench: {},
    osd_tell_help_command: { real: "wants a second OSD", several: {} },
    osd_compact: { real: "wants a second OSD", several: {} },
    per_pool_scrub_status: {},
    mgr_tell: {},
    mgr_devices: {},
  }),
];

/** The sections of a suite, each run by itself. */
function parts(suite, sections) {
  return Object.entries(sections).map(([section, known]) => ({
    name: `${suite}:${section}`,
    ...known,
  }));
}

/** Suites that are not run at all, and why. */
export const NOT_RUN = [
  [
    "rbd/concurrent.sh, huge-tickets.sh, image_read.sh, kernel.sh, krbd_*.sh, map-*.sh, simple_big.sh",
    "the kernel's client",
  ],
  ["rbd/luks-encryption.sh, rbd-nbd.sh, rbd-ggate.sh", "rbd-nbd, rbd-ggate"],
  ["rbd/rbd_mirror_*.sh, test_rbd_mirror.sh", "the rbd-mirror daemon"],
  ["rbd/notify_master.sh, notify_slave.sh", "one waits for the other: test_rbd.py tests as much"],
  [
    "rbd/qemu_*.sh, qemu-iotests.sh",
    "a guest that others started; QEMU's sources from the network",
  ],
  ["rbd/test_librbd.sh, test_librbd_python.sh", "binaries that Debian does not ship; --python"],
  ["rbd/test_rbdmap_RBDMAPFILE.sh", "systemd"],
  ["rbd/issue-20295.sh", EC],
  ["rados/test.sh, stress_watch.sh, test_dedup_tool.sh", "binaries that Debian does not ship"],
  ["rados/test_cache_pool.sh, cephtool tiering_*", "cache tiers"],
  ["rados/clone.sh", "`rados clonedata`, which is no more"],
  ["rados/test_alloc_hint.sh", "FileStore's files and xfs_io"],
  ["rados/test_crash.sh, test_health_warnings.sh, test_large_omap_detection.py", "ten OSDs, dumps"],
  ["rados/load-gen-big.sh, -mix.sh, -mix-small-long.sh, -mostlyread.sh", "the same for longer"],
  ["rados/test_python.sh", "--python"],
  ["mon/osd.sh, cephtool mon_osd_create_destroy", "OSDs are made by spirula start"],
  ["mon/pool_ops.sh, cephtool mon_osd_erasure_code", EC],
  ["mon/crush_ops.sh, cephtool mon_crush, mon_osd_misc", "CRUSH editing, reweighting"],
  ["caps/mon_commands.sh", "caps of a form that no release since Firefly takes"],
  ["cephtool mds_*, mon_mds*", "CephFS"],
  [
    "cephtool admin_heap_profiler, osd_negative_filestore_merge_threshold, mon_tell_help_command",
    "the daemons' own innards: heap, FileStore, sync_force",
  ],
];
