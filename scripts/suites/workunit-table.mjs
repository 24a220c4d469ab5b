// Which of Ceph's shell suites are run, how long one may take, and what is known of it.

/**
 * @typedef {object} Workunit
 * @property {string} name file below qa/workunits, and after a colon the section of it
 * @property {number} [minutes] limit; 10 if not given
 * @property {string} [real] why it fails on a real one-OSD 16.2.15; not given: it passes there
 * @property {string} [ours] why it fails on Spirula though it passes there; not given: it has to pass
 */

/** @type {readonly Workunit[]} */
export const WORKUNITS = [
  { name: "rbd/cli_generic.sh", minutes: 20 },
  { name: "rbd/cli_migration.sh", minutes: 20 },
  { name: "rbd/diff.sh" },
  { name: "rbd/diff_continuous.sh", minutes: 20 },
  { name: "rbd/import_export.sh" },
  { name: "rbd/journal.sh" },
  { name: "rbd/permissions.sh" },
  { name: "rbd/qos.sh", minutes: 20 },
  { name: "rbd/rbd_groups.sh" },
  { name: "rbd/read-flags.sh" },
  { name: "rbd/test_admin_socket.sh" },
  { name: "rbd/test_lock_fence.sh" },
  { name: "rbd/test_rbd_tasks.sh" },
  { name: "rbd/test_rbdmap_RBDMAPFILE.sh" },
  { name: "rbd/verify_pool.sh" },
  { name: "rados/load-gen-mix-small.sh", minutes: 20 },
  { name: "rados/test_pool_access.sh" },
  { name: "rados/test_pool_quota.sh" },
  {
    name: "rados/test_rados_timeouts.sh",
    minutes: 1,
    real: "its first command, rados lspools with the OSD map held back, waits for good",
  },
  { name: "rados/test_rados_tool.sh" },
  { name: "rados/version_number_sanity.sh" },
  { name: "mon/auth_caps.sh" },
  { name: "mon/caps.sh" },
  { name: "mon/config.sh" },
  { name: "mon/osd.sh" },
  { name: "mon/pool_ops.sh" },
  { name: "mon/rbd_snaps_ops.sh" },
  { name: "mon/test_config_key_caps.sh" },
  { name: "caps/mon_commands.sh" },
  ...[
    "mon_injectargs",
    "mon_injectargs_SI",
    "auth",
    "auth_profiles",
    "mon_misc",
    "mon_mon",
    "mon_osd",
    "mon_config_key",
    "mon_osd_create_destroy",
    "mon_osd_pool",
    "mon_osd_pool_quota",
    "mon_pg",
    "mon_osd_pool_set",
    "mon_osd_misc",
    "mon_tell",
    "mon_ping",
    "mon_deprecated_commands",
    "mon_caps",
    "mon_cephdf_commands",
    "mon_pool_application",
    "mon_tell_help_command",
    "mon_stdin_stdout",
    "osd_bench",
    "osd_negative_filestore_merge_threshold",
    "admin_heap_profiler",
    "osd_tell_help_command",
    "osd_compact",
    "per_pool_scrub_status",
    "mgr_tell",
    "mgr_devices",
  ].map((section) => ({ name: `cephtool/test.sh:${section}` })),
];

/** Suites that are not run at all, and why. */
export const NOT_RUN = [];
