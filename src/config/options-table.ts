/**
 * Ceph's configuration options as `config help` of 16.2.15 names them: one line each, with type, level
 * (b basic, a advanced, d dev), `r` if it may change at run time, what is allowed if not everything is
 * (`{these,values}`, `[least,most]`), and the default.
 * A table, made by scripts/record-config-options.py; a name in it is accepted by `config set`.
 * ceph: src/common/options.cc
 */

export const CONFIG_OPTIONS_TEXT = `
admin_socket str a-
admin_socket_mode str a-
auth_allow_insecure_global_id_reclaim bool ar true
auth_client_required str a- cephx, none
auth_cluster_required str a- cephx
auth_debug bool dr false
auth_expose_insecure_global_id_reclaim bool ar true
auth_mon_ticket_ttl float ar 259200
auth_service_required str a- cephx
auth_service_ticket_ttl float ar 3600
auth_supported str a-
bdev_aio bool ar true
bdev_aio_max_queue_depth int ar 1024
bdev_aio_poll_ms int ar 250
bdev_aio_reap_max int ar 16
bdev_async_discard bool ar false
bdev_block_size size ar 4096
bdev_debug_aio bool dr false
bdev_debug_aio_log_age float dr 5
bdev_debug_aio_suicide_timeout float dr 60
bdev_debug_inflight_ios bool dr false
bdev_enable_discard bool ar false
bdev_flock_retry uint ar 3
bdev_flock_retry_interval float ar 0.1
bdev_inject_crash int dr 0
bdev_inject_crash_flush_delay int dr 2
bdev_ioring bool ar false
bdev_ioring_hipri bool ar false
bdev_ioring_sqthread_poll bool ar false
bdev_nvme_unbind_from_kernel bool ar false
bdev_type str a-{aio,spdk,pmem,hm_smr}
bluefs_alloc_size size ar 1048576
bluefs_allocator str d-{bitmap,stupid,avl,hybrid} hybrid
bluefs_buffered_io bool ar true
bluefs_check_for_zeros bool dr false
bluefs_check_volume_selector_often bool d- false
bluefs_check_volume_selector_on_umount bool dr false
bluefs_compact_log_sync bool ar false
bluefs_failed_shared_alloc_cooldown float ar 600
bluefs_log_compact_min_ratio float ar 5
bluefs_log_compact_min_size size ar 16777216
bluefs_log_replay_check_allocations bool ar true
bluefs_max_log_runway size ar 4194304
bluefs_max_prefetch size ar 1048576
bluefs_min_flush_size size ar 524288
bluefs_min_log_runway size ar 1048576
bluefs_replay_recovery bool dr false
bluefs_replay_recovery_disable_compact bool ar false
bluefs_shared_alloc_size size ar 65536
bluefs_sync_write bool ar false
bluestore_2q_cache_kin_ratio float dr 0.5
bluestore_2q_cache_kout_ratio float dr 0.5
bluestore_alloc_stats_dump_interval float dr 86400
bluestore_allocator str a-{bitmap,stupid,avl,hybrid,zoned} hybrid
bluestore_avl_alloc_bf_free_pct uint dr 4
bluestore_avl_alloc_bf_threshold uint dr 131072
bluestore_avl_alloc_ff_max_search_bytes size dr 16777216
bluestore_avl_alloc_ff_max_search_count uint dr 100
bluestore_bitmapallocator_blocks_per_zone size dr 1024
bluestore_bitmapallocator_span_size size dr 1024
bluestore_blobid_prealloc uint dr 10240
bluestore_block_create bool d- true
bluestore_block_db_create bool d- false
bluestore_block_db_path str d-
bluestore_block_db_size uint d- 0
bluestore_block_path str d-
bluestore_block_preallocate_file bool d- false
bluestore_block_size size d- 107374182400
bluestore_block_wal_create bool d- false
bluestore_block_wal_path str d-
bluestore_block_wal_size size d- 100663296
bluestore_bluefs bool d- true
bluestore_bluefs_alloc_failure_dump_interval float ar 0
bluestore_bluefs_env_mirror bool d- false
bluestore_cache_autotune bool dr true
bluestore_cache_autotune_interval float dr 5
bluestore_cache_kv_onode_ratio float dr 0.04
bluestore_cache_kv_ratio float dr 0.45
bluestore_cache_meta_ratio float dr 0.45
bluestore_cache_size size dr 0
bluestore_cache_size_hdd size dr 1073741824
bluestore_cache_size_ssd size dr 3221225472
bluestore_cache_trim_interval float ar 0.05
bluestore_cache_trim_max_skip_pinned uint dr 1000
bluestore_cache_type str d-{2q,lru} 2q
bluestore_clone_cow bool ar true
bluestore_compression_algorithm str ar{,snappy,zlib,zstd,lz4} snappy
bluestore_compression_max_blob_size size ar 0
bluestore_compression_max_blob_size_hdd size ar 65536
bluestore_compression_max_blob_size_ssd size ar 65536
bluestore_compression_min_blob_size size ar 0
bluestore_compression_min_blob_size_hdd size ar 8192
bluestore_compression_min_blob_size_ssd size ar 8192
bluestore_compression_mode str ar{none,passive,aggressive,force} none
bluestore_compression_required_ratio float ar 0.875
bluestore_csum_type str ar{none,crc32c,crc32c_16,crc32c_8,xxhash32,xxhash64} crc32c
bluestore_debug_enforce_settings str d-{default,hdd,ssd} default
bluestore_debug_freelist bool dr false
bluestore_debug_fsck_abort bool dr false
bluestore_debug_inject_bug21040 bool dr false
bluestore_debug_inject_csum_err_probability float dr 0
bluestore_debug_inject_read_err bool dr false
bluestore_debug_legacy_omap bool dr false
bluestore_debug_no_reuse_blocks bool dr false
bluestore_debug_omit_block_device_write bool dr false
bluestore_debug_omit_kv_commit bool dr false
bluestore_debug_permit_any_bdev_label bool dr false
bluestore_debug_prefill float dr 0
bluestore_debug_prefragment_max size dr 1048576
bluestore_debug_random_read_err float dr 0
bluestore_debug_randomize_serial_transaction int dr 0
bluestore_debug_small_allocations int dr 0
bluestore_debug_too_many_blobs_threshold int dr 24576
bluestore_default_buffered_read bool ar true
bluestore_default_buffered_write bool ar false
bluestore_deferred_batch_ops uint ar[0,65535] 0
bluestore_deferred_batch_ops_hdd uint ar[0,65535] 64
bluestore_deferred_batch_ops_ssd uint ar[0,65535] 16
bluestore_extent_map_inline_shard_prealloc_size size dr 256
bluestore_extent_map_shard_max_size size dr 1200
bluestore_extent_map_shard_min_size size dr 150
bluestore_extent_map_shard_target_size size dr 500
bluestore_extent_map_shard_target_size_slop float dr 0.2
bluestore_freelist_blocks_per_key size dr 128
bluestore_fsck_error_on_no_per_pg_omap bool ar false
bluestore_fsck_error_on_no_per_pool_omap bool ar false
bluestore_fsck_error_on_no_per_pool_stats bool ar false
bluestore_fsck_on_mkfs bool dr true
bluestore_fsck_on_mkfs_deep bool dr false
bluestore_fsck_on_mount bool dr false
bluestore_fsck_on_mount_deep bool dr false
bluestore_fsck_on_umount bool dr false
bluestore_fsck_on_umount_deep bool dr false
bluestore_fsck_quick_fix_on_mount bool dr false
bluestore_fsck_quick_fix_threads int ar 2
bluestore_fsck_read_bytes_cap size ar 67108864
bluestore_fsck_shared_blob_tracker_size float dr 0.03125
bluestore_gc_enable_blob_threshold int dr 0
bluestore_gc_enable_total_threshold int dr 0
bluestore_hybrid_alloc_mem_cap uint dr 67108864
bluestore_ignore_data_csum bool dr false
bluestore_kv_sync_util_logging_s float ar 10
bluestore_kvbackend str d- rocksdb
bluestore_log_collection_list_age float ar 60
bluestore_log_omap_iterator_age float ar 5
bluestore_log_op_age float ar 5
bluestore_max_alloc_size size a- 0
bluestore_max_blob_size size dr 0
bluestore_max_blob_size_hdd size dr 65536
bluestore_max_blob_size_ssd size dr 65536
bluestore_max_defer_interval float ar 3
bluestore_max_deferred_txc uint ar 32
bluestore_min_alloc_size uint a- 0
bluestore_min_alloc_size_hdd size a- 4096
bluestore_min_alloc_size_ssd size a- 4096
bluestore_nid_prealloc int dr 1024
bluestore_prefer_deferred_size size ar 0
bluestore_prefer_deferred_size_hdd size ar 65536
bluestore_prefer_deferred_size_ssd size ar 0
bluestore_retry_disk_reads uint ar[0,255] 3
bluestore_rocksdb_cf bool ar true
bluestore_rocksdb_cfs str d- m(3) p(3,0-12) O(3,0-13)=block_cache={type=binned_lru} L P
bluestore_rocksdb_options str a- compression=kNoCompression,max_write_buffer_number=4,min_write_buffer_number_to_merge=1,recycle_log_file_num=4,write_buffer_size=268435456,writable_file_max_buffer_size=0,compaction_readahead_size=2097152,max_background_compactions=2,max_total_wal_size=1073741824
bluestore_rocksdb_options_annex str a-
bluestore_spdk_coremask str d- 0x1
bluestore_spdk_io_sleep uint dr 5
bluestore_spdk_max_io_completion uint dr 0
bluestore_spdk_mem size dr 512
bluestore_sync_submit_transaction bool dr false
bluestore_throttle_bytes size ar 67108864
bluestore_throttle_cost_per_io size ar 0
bluestore_throttle_cost_per_io_hdd uint ar 670000
bluestore_throttle_cost_per_io_ssd uint ar 4000
bluestore_throttle_deferred_bytes size ar 134217728
bluestore_throttle_trace_rate float ar 0
bluestore_tracing bool ar false
bluestore_volume_selection_policy str d-{rocksdb_original,use_some_extra,fit_to_fast} use_some_extra
bluestore_volume_selection_reserved int a- 0
bluestore_volume_selection_reserved_factor float a- 2
bluestore_warn_on_bluefs_spillover bool ar true
bluestore_warn_on_legacy_statfs bool ar true
bluestore_warn_on_no_per_pg_omap bool ar false
bluestore_warn_on_no_per_pool_omap bool ar true
bluestore_warn_on_spurious_read_errors bool ar true
cephadm_path str a- /usr/sbin/cephadm
cephfs_mirror_action_update_interval secs ar[1,] 2
cephfs_mirror_directory_scan_interval uint ar[1,] 10
cephfs_mirror_max_concurrent_directory_syncs uint ar[1,] 3
cephfs_mirror_max_consecutive_failures_per_directory uint ar 10
cephfs_mirror_max_snapshot_sync_per_cycle uint ar[1,] 3
cephfs_mirror_mount_timeout secs ar[0,] 10
cephfs_mirror_restart_mirror_on_blocklist_interval secs ar[0,] 30
cephfs_mirror_restart_mirror_on_failure_interval secs ar[0,] 20
cephfs_mirror_retry_failed_directories_interval uint ar[1,] 60
cephsqlite_blocklist_dead_locker bool ar true
cephsqlite_lock_renewal_interval millisecs ar[100,] 2000
cephsqlite_lock_renewal_timeout millisecs ar[100,] 30000
cephx_cluster_require_signatures bool ar false
cephx_cluster_require_version int ar 2
cephx_require_signatures bool ar false
cephx_require_version int ar 2
cephx_service_require_signatures bool ar false
cephx_service_require_version int ar 2
cephx_sign_messages bool ar true
chdir str a-
client_acl_type str a-
client_asio_thread_count uint ar[1,] 2
client_cache_mid float ar 0.75
client_cache_size size br 16384
client_caps_release_delay secs dr 5
client_check_pool_perm bool ar true
client_collect_and_send_global_metrics bool ar false
client_debug_force_sync_read bool dr false
client_debug_getattr_caps bool dr false
client_debug_inject_tick_delay secs dr 0
client_die_on_failed_dentry_invalidate bool ar true
client_die_on_failed_remount bool dr false
client_dirsize_rbytes bool ar true
client_force_lazyio bool ar false
client_fs str a-
client_inject_fixed_oldest_tid bool dr false
client_inject_release_failure bool dr false
client_max_inline_size size dr 4096
client_max_retries_on_remount_failure uint ar 5
client_mds_namespace str d-
client_metadata str a-
client_mount_gid int ar -1
client_mount_timeout secs ar 300
client_mount_uid int ar -1
client_mountpoint str a- /
client_notify_timeout int dr 10
client_oc bool ar true
client_oc_max_dirty size ar 104857600
client_oc_max_dirty_age float ar 5
client_oc_max_objects int ar 1000
client_oc_size size ar 209715200
client_oc_target_dirty size ar 8388608
client_permissions bool ar true
client_quota bool ar true
client_quota_df bool ar true
client_readahead_max_bytes size ar 0
client_readahead_max_periods int ar 4
client_readahead_min size ar 131072
client_reconnect_stale bool ar false
client_shutdown_timeout secs ar[0,] 30
client_snapdir str a- .snap
client_tick_interval secs dr 1
client_trace str d-
client_try_dentry_invalidate bool dr false
client_use_faked_inos bool d- false
client_use_random_mds bool dr false
clog_to_graylog str ar false
clog_to_graylog_host str ar 127.0.0.1
clog_to_graylog_port str ar 12201
clog_to_monitors str ar default=true
clog_to_syslog str ar false
clog_to_syslog_facility str ar default=daemon audit=local0
clog_to_syslog_level str ar info
cluster_addr addr b- -
cluster_network str a-
cluster_network_interface str a-
compressor_zlib_isal bool ar false
compressor_zlib_level int ar 5
compressor_zlib_winsize int ar[-15,32] -15
compressor_zstd_level int ar 1
container_image str b- docker.io/ceph/daemon-base:latest-pacific-devel
crash_dir str a- /var/lib/ceph/crash
crimson_osd_obc_lru_size uint ar 10
crimson_osd_scheduler_concurrency uint ar 0
crush_location str a-
crush_location_hook str a-
crush_location_hook_timeout int ar 10
daemonize bool a- false
debug_allow_any_pool_priority bool dr false
debug_asok_assert_abort bool dr false
debug_asserts_on_shutdown bool dr false
debug_deliberately_leak_memory bool dr false
debug_disable_randomized_ping bool dr false
debug_heartbeat_testing_span int dr 0
defer_client_eviction_on_laggy_osds bool ar true
device_failure_prediction_mode str br{none,local,cloud} none
enable_experimental_unrecoverable_data_corrupting_features str ar
erasure_code_dir str a- /usr/lib/x86_64-linux-gnu/ceph/erasure-code
err_to_graylog bool br false
err_to_stderr bool br false
err_to_syslog bool br false
event_tracing bool ar false
fake_statfs_for_testing int dr 0
fatal_signal_handlers bool a- true
filer_max_purge_ops uint ar 10
filer_max_truncate_ops uint ar 128
filestore_apply_finisher_threads int dr 1
filestore_blackhole bool dr false
filestore_btrfs_clone_range bool ar true
filestore_btrfs_snap bool dr true
filestore_caller_concurrency int dr 10
filestore_collect_device_partition_information bool ar true
filestore_commit_timeout float ar 600
filestore_debug_inject_read_err bool dr false
filestore_debug_omap_check bool dr false
filestore_debug_random_read_err float dr 0
filestore_debug_verify_split bool dr false
filestore_dump_file str d-
filestore_expected_throughput_bytes float ar 209715200
filestore_expected_throughput_ops float ar 200
filestore_fadvise bool ar true
filestore_fail_eio bool dr true
filestore_fd_cache_shards int dr 16
filestore_fd_cache_size int dr 128
filestore_fiemap bool ar false
filestore_fiemap_threshold size dr 4096
filestore_fsync_flushes_journal_data bool dr false
filestore_index_retry_probability float dr 0
filestore_inject_stall int dr 0
filestore_journal_parallel bool dr false
filestore_journal_trailing bool dr false
filestore_journal_writeahead bool dr false
filestore_kill_at int dr 0
filestore_max_alloc_hint_size size dr 1048576
filestore_max_inline_xattr_size size dr 0
filestore_max_inline_xattr_size_btrfs size dr 2048
filestore_max_inline_xattr_size_other size dr 512
filestore_max_inline_xattr_size_xfs size dr 65536
filestore_max_inline_xattrs uint dr 0
filestore_max_inline_xattrs_btrfs uint dr 10
filestore_max_inline_xattrs_other uint dr 2
filestore_max_inline_xattrs_xfs uint dr 10
filestore_max_sync_interval float ar 5
filestore_max_xattr_value_size size dr 0
filestore_max_xattr_value_size_btrfs size dr 65536
filestore_max_xattr_value_size_other size dr 1024
filestore_max_xattr_value_size_xfs size dr 65536
filestore_merge_threshold int dr -10
filestore_min_sync_interval float dr 0.01
filestore_odsync_write bool dr false
filestore_omap_backend str d-{leveldb,rocksdb} rocksdb
filestore_omap_backend_path str d-
filestore_omap_header_cache_size size dr 1024
filestore_ondisk_finisher_threads int dr 1
filestore_op_thread_suicide_timeout int ar 180
filestore_op_thread_timeout int ar 60
filestore_op_threads int ar 2
filestore_punch_hole bool ar false
filestore_queue_high_delay_multiple float dr 0
filestore_queue_high_delay_multiple_bytes float dr 0
filestore_queue_high_delay_multiple_ops float dr 0
filestore_queue_high_threshhold float dr 0.9
filestore_queue_low_threshhold float dr 0.3
filestore_queue_max_bytes size ar 104857600
filestore_queue_max_delay_multiple float dr 0
filestore_queue_max_delay_multiple_bytes float dr 0
filestore_queue_max_delay_multiple_ops float dr 0
filestore_queue_max_ops uint ar 50
filestore_rocksdb_options str d- max_background_jobs=10,compaction_readahead_size=2097152,compression=kNoCompression
filestore_seek_data_hole bool ar false
filestore_sloppy_crc bool dr false
filestore_sloppy_crc_block_size size dr 65536
filestore_splice bool ar false
filestore_split_multiple int dr 2
filestore_split_rand_factor uint dr 20
filestore_update_to int dr 1000
filestore_wbthrottle_btrfs_bytes_hard_limit size ar 419430400
filestore_wbthrottle_btrfs_bytes_start_flusher size ar 41943040
filestore_wbthrottle_btrfs_inodes_hard_limit uint ar 5000
filestore_wbthrottle_btrfs_inodes_start_flusher uint ar 500
filestore_wbthrottle_btrfs_ios_hard_limit uint ar 5000
filestore_wbthrottle_btrfs_ios_start_flusher uint ar 500
filestore_wbthrottle_enable bool ar true
filestore_wbthrottle_xfs_bytes_hard_limit size ar 419430400
filestore_wbthrottle_xfs_bytes_start_flusher size ar 41943040
filestore_wbthrottle_xfs_inodes_hard_limit uint ar 5000
filestore_wbthrottle_xfs_inodes_start_flusher uint ar 500
filestore_wbthrottle_xfs_ios_hard_limit uint ar 5000
filestore_wbthrottle_xfs_ios_start_flusher uint ar 500
filestore_xfs_extsize bool ar false
filestore_zfs_snap bool dr false
fio_dir str a- /tmp/fio
fsid uuid b- 00000000-0000-0000-0000-000000000000
fuse_allow_other bool ar true
fuse_atomic_o_trunc bool ar true
fuse_big_writes bool ar true
fuse_debug bool a- false
fuse_default_permissions bool a- false
fuse_disable_pagecache bool ar false
fuse_max_write size ar 0
fuse_multithreaded bool ar true
fuse_require_active_mds bool ar true
fuse_set_user_groups bool ar true
fuse_splice_move bool ar true
fuse_splice_read bool ar true
fuse_splice_write bool ar true
fuse_syncfs_on_mksnap bool ar true
fuse_use_invalidate_cb bool ar true
gss_ktab_client_file str a- /var/lib/ceph/$name/gss_client_$name.ktab
gss_target_name str a- ceph
heartbeat_file str a-
heartbeat_inject_failure int dr 0
heartbeat_interval int a- 5
host str b-
immutable_object_cache_client_dedicated_thread_num uint ar 2
immutable_object_cache_max_inflight_ops uint ar 128
immutable_object_cache_max_size size ar 1073741824
immutable_object_cache_path str a- /tmp/ceph_immutable_object_cache
immutable_object_cache_qos_bps_burst uint ar 0
immutable_object_cache_qos_bps_burst_seconds secs ar[1,] 1
immutable_object_cache_qos_bps_limit uint ar 0
immutable_object_cache_qos_iops_burst uint ar 0
immutable_object_cache_qos_iops_burst_seconds secs ar[1,] 1
immutable_object_cache_qos_iops_limit uint ar 0
immutable_object_cache_qos_schedule_tick_min millisecs ar[1,] 50
immutable_object_cache_sock str a- /var/run/ceph/immutable_object_cache_sock
immutable_object_cache_watermark float ar 0.9
inject_early_sigterm bool dr false
journal_aio bool dr true
journal_align_min_size size dr 65536
journal_block_align bool dr true
journal_block_size size dr 4096
journal_dio bool dr true
journal_discard bool dr false
journal_force_aio bool dr false
journal_ignore_corruption bool dr false
journal_max_write_bytes size ar 10485760
journal_max_write_entries int ar 100
journal_replay_from int dr 0
journal_throttle_high_multiple float dr 0
journal_throttle_high_threshhold float dr 0.9
journal_throttle_low_threshhold float dr 0.6
journal_throttle_max_multiple float dr 0
journal_write_header_frequency uint dr 0
journal_zero_on_create bool dr false
journaler_prefetch_periods uint ar[2,] 10
journaler_prezero_periods uint ar[2,] 5
journaler_write_head_interval int ar 15
key str a-
keyfile str a-
keyring str a- /etc/ceph/$cluster.$name.keyring,/etc/ceph/$cluster.keyring,/etc/ceph/keyring,/etc/ceph/keyring.bin,
kstore_backend str a- rocksdb
kstore_default_stripe_size size ar 65536
kstore_fsck_on_mount bool ar false
kstore_fsck_on_mount_deep bool ar true
kstore_max_bytes size ar 67108864
kstore_max_ops uint ar 512
kstore_nid_prealloc uint ar 1024
kstore_onode_map_size uint ar 1024
kstore_rocksdb_options str a- compression=kNoCompression
kstore_sync_submit_transaction bool ar false
kstore_sync_transaction bool ar false
leveldb_block_size size ar 0
leveldb_bloom_size int ar 0
leveldb_cache_size size ar 134217728
leveldb_compact_on_mount bool ar false
leveldb_compression bool ar true
leveldb_log str a- /dev/null
leveldb_log_to_ceph_log bool ar true
leveldb_max_open_files int ar 0
leveldb_paranoid bool ar false
leveldb_write_buffer_size size ar 8388608
librados_thread_count uint ar[1,] 2
lockdep bool d- false
lockdep_force_backtrace bool d- false
log_coarse_timestamps bool ar true
log_file str b-
log_flush_on_exit bool ar false
log_graylog_host str b- 127.0.0.1
log_graylog_port int br 12201
log_max_new int ar 1000
log_max_recent int ar[1,] 500
log_stderr_prefix str a-
log_stop_at_utilization float br[0,1] 0.97
log_to_file bool br true
log_to_graylog bool br false
log_to_stderr bool br true
log_to_syslog bool br false
max_rotating_auth_attempts int ar 10
mds_abort_on_newly_corrupt_dentry bool ar true
mds_action_on_write_error uint ar 1
mds_alternate_name_max size ar 8192
mds_asio_thread_count uint ar[1,] 2
mds_bal_export_pin bool ar true
mds_bal_fragment_dirs bool ar true
mds_bal_fragment_fast_factor float ar 1.5
mds_bal_fragment_interval int ar 5
mds_bal_fragment_size_max int ar 100000
mds_bal_idle_threshold float ar 0
mds_bal_interval int ar 10
mds_bal_max int dr -1
mds_bal_max_until int dr -1
mds_bal_merge_size int ar 50
mds_bal_midchunk float dr 0.3
mds_bal_min_rebalance float dr 0.1
mds_bal_min_start float dr 0.2
mds_bal_minchunk float dr 0.001
mds_bal_mode int dr 0
mds_bal_need_max float dr 1.2
mds_bal_need_min float dr 0.8
mds_bal_replicate_threshold float ar 8000
mds_bal_sample_interval float ar 3
mds_bal_split_bits int ar[1,24] 3
mds_bal_split_rd float ar 25000
mds_bal_split_size int ar 10000
mds_bal_split_wr float ar 10000
mds_bal_target_decay float ar 10
mds_bal_unreplicate_threshold float ar 0
mds_beacon_grace float ar 15
mds_beacon_interval float ar 4
mds_beacon_mon_down_grace secs ar 60
mds_cache_memory_limit size br 4294967296
mds_cache_mid float ar 0.7
mds_cache_release_free_interval secs dr 10
mds_cache_reservation float ar 0.05
mds_cache_trim_decay_rate float ar 1
mds_cache_trim_interval secs ar 1
mds_cache_trim_threshold size ar 262144
mds_cap_acquisition_throttle_retry_request_timeout float ar 0.5
mds_cap_revoke_eviction_timeout float ar 0
mds_client_delegate_inos_pct uint ar 50
mds_client_prealloc_inos int ar 1000
mds_client_writeable_range_max_inc_objs uint ar 1024
mds_connect_bootstrapping bool dr false
mds_damage_table_max_entries int ar 10000
mds_data str a- /var/lib/ceph/mds/$cluster-$id
mds_debug_auth_pins bool dr false
mds_debug_frag bool dr false
mds_debug_scatterstat bool dr false
mds_debug_subtrees bool dr false
mds_decay_halflife float ar 5
mds_default_dir_hash int ar 2
mds_defer_session_stale bool dr true
mds_deny_all_reconnect bool ar false
mds_dir_keys_per_op int ar 16384
mds_dir_max_commit_size int ar 10
mds_dir_max_entries uint ar 0
mds_dirstat_min_interval float dr 1
mds_dump_cache_after_rejoin bool dr false
mds_dump_cache_on_map bool dr false
mds_dump_cache_threshold_file size dr 0
mds_dump_cache_threshold_formatter size dr 1073741824
mds_early_reply bool ar true
mds_enable_op_tracker bool ar true
mds_enforce_unique_name bool ar true
mds_export_ephemeral_distributed bool ar true
mds_export_ephemeral_distributed_factor float ar[1,100] 2
mds_export_ephemeral_random bool ar true
mds_export_ephemeral_random_max float ar[0,1] 0.01
mds_forward_all_requests_to_auth bool ar false
mds_freeze_tree_timeout float dr 30
mds_go_bad_corrupt_dentry bool ar true
mds_hack_allow_loading_invalid_metadata bool ar false
mds_health_cache_threshold float ar 1.5
mds_health_summarize_threshold int ar 10
mds_heartbeat_grace float ar 15
mds_heartbeat_reset_grace uint ar 1000
mds_inject_health_dummy bool dr false
mds_inject_journal_corrupt_dentry_first float dr 0
mds_inject_migrator_session_race bool dr false
mds_inject_rename_corrupt_dentry_first float dr 0
mds_inject_skip_replaying_inotable bool dr false
mds_inject_traceless_reply_probability float dr 0
mds_join_fs str br
mds_journal_format uint dr 1
mds_kill_create_at int dr 0
mds_kill_export_at int dr 0
mds_kill_import_at int dr 0
mds_kill_journal_at int dr 0
mds_kill_journal_expire_at int dr 0
mds_kill_journal_replay_at int dr 0
mds_kill_link_at int dr 0
mds_kill_mdstable_at int dr 0
mds_kill_openc_at int dr 0
mds_kill_rename_at int dr 0
mds_kill_skip_replaying_inotable bool dr false
mds_log_events_per_segment int ar 1024
mds_log_max_events int ar -1
mds_log_max_segments uint ar 128
mds_log_pause bool dr false
mds_log_segment_size size ar 0
mds_log_skip_corrupt_events bool dr false
mds_log_warn_factor float ar[1,] 2
mds_max_caps_per_client uint ar 1048576
mds_max_completed_flushes uint dr 100000
mds_max_completed_requests uint dr 100000
mds_max_export_size size dr 20971520
mds_max_file_recover uint ar 32
mds_max_purge_files uint ar 64
mds_max_purge_ops uint ar 8192
mds_max_purge_ops_per_pg float ar 0.5
mds_max_scrub_ops_in_progress int ar 5
mds_max_snaps_per_dir uint ar[0,4096] 100
mds_max_xattr_pairs_size size ar 65536
mds_metrics_update_interval secs ar 2
mds_min_caps_per_client uint ar 100
mds_min_caps_working_set uint ar 10000
mds_mon_shutdown_timeout float ar 5
mds_numa_node int a- -1
mds_oft_prefetch_dirfrags bool a- false
mds_op_complaint_time float ar 30
mds_op_history_duration uint ar 600
mds_op_history_size uint ar 20
mds_op_log_threshold int dr 5
mds_ping_grace secs ar 15
mds_ping_interval secs ar 5
mds_purge_queue_busy_flush_period float dr 1
mds_recall_global_max_decay_threshold size ar 131072
mds_recall_max_caps size ar 30000
mds_recall_max_decay_rate float ar 1.5
mds_recall_max_decay_threshold size ar 131072
mds_recall_warning_decay_rate float ar 60
mds_recall_warning_threshold size ar 262144
mds_reconnect_timeout float ar 45
mds_replay_interval float ar 1
mds_replay_unsafe_with_closed_session bool a- false
mds_request_load_average_decay_rate float ar 60
mds_root_ino_gid int ar 0
mds_root_ino_uid int ar 0
mds_scatter_nudge_interval float ar 5
mds_session_blocklist_on_evict bool ar true
mds_session_blocklist_on_timeout bool ar true
mds_session_cache_liveness_decay_rate float ar 300
mds_session_cache_liveness_magnitude size ar 10
mds_session_cap_acquisition_decay_rate float ar 30
mds_session_cap_acquisition_throttle uint ar 100000
mds_session_max_caps_throttle_ratio float ar 1.1
mds_session_metadata_threshold size ar 16777216
mds_sessionmap_keys_per_op uint ar 1024
mds_shutdown_check int dr 0
mds_skip_ino int dr 0
mds_sleep_rank_change float dr 0
mds_snap_max_uid uint ar 4294967294
mds_snap_min_uid uint ar 0
mds_snap_rstat bool ar false
mds_standby_replay_damaged bool dr false
mds_task_status_update_interval float dr 2
mds_thrash_exports int dr 0
mds_thrash_fragments int dr 0
mds_tick_interval float ar 5
mds_valgrind_exit bool dr false
mds_verify_backtrace uint dr 1
mds_verify_scatter bool dr false
mds_wipe_ino_prealloc bool dr false
mds_wipe_sessions bool dr false
mempool_debug bool dr false
memstore_debug_omit_block_device_write bool dr false
memstore_device_bytes size ar 1073741824
memstore_page_set bool ar false
memstore_page_size size ar 65536
mgr/alerts/interval secs ar 60
mgr/alerts/log_level str ar{,critical,debug,error,info,warning}
mgr/alerts/log_to_cluster bool ar false
mgr/alerts/log_to_cluster_level str ar{,critical,debug,error,info,warning} info
mgr/alerts/log_to_file bool ar false
mgr/alerts/smtp_destination str ar
mgr/alerts/smtp_from_name str ar Ceph
mgr/alerts/smtp_host str ar
mgr/alerts/smtp_password str ar
mgr/alerts/smtp_port int ar 465
mgr/alerts/smtp_sender str ar
mgr/alerts/smtp_ssl bool ar true
mgr/alerts/smtp_user str ar
mgr/balancer/active bool ar true
mgr/balancer/begin_time str ar 0000
mgr/balancer/begin_weekday uint ar[0,7] 0
mgr/balancer/crush_compat_max_iterations uint ar[1,250] 25
mgr/balancer/crush_compat_metrics str ar pgs,objects,bytes
mgr/balancer/crush_compat_step float ar[0.001,0.999] 0.5
mgr/balancer/end_time str ar 2400
mgr/balancer/end_weekday uint ar[0,7] 7
mgr/balancer/log_level str ar{,critical,debug,error,info,warning}
mgr/balancer/log_to_cluster bool ar false
mgr/balancer/log_to_cluster_level str ar{,critical,debug,error,info,warning} info
mgr/balancer/log_to_file bool ar false
mgr/balancer/min_score float ar 0
mgr/balancer/mode str ar{crush-compat,none,upmap} upmap
mgr/balancer/pool_ids str ar
mgr/balancer/sleep_interval secs ar 60
mgr/balancer/upmap_max_deviation int ar 5
mgr/balancer/upmap_max_optimizations uint ar 10
mgr/crash/log_level str ar{,critical,debug,error,info,warning}
mgr/crash/log_to_cluster bool ar false
mgr/crash/log_to_cluster_level str ar{,critical,debug,error,info,warning} info
mgr/crash/log_to_file bool ar false
mgr/crash/retain_interval secs ar 31536000
mgr/crash/warn_recent_interval secs ar 1209600
mgr/devicehealth/enable_monitoring bool ar true
mgr/devicehealth/log_level str ar{,critical,debug,error,info,warning}
mgr/devicehealth/log_to_cluster bool ar false
mgr/devicehealth/log_to_cluster_level str ar{,critical,debug,error,info,warning} info
mgr/devicehealth/log_to_file bool ar false
mgr/devicehealth/mark_out_threshold secs ar 2419200
mgr/devicehealth/pool_name str ar device_health_metrics
mgr/devicehealth/retention_period secs ar 15552000
mgr/devicehealth/scrape_frequency secs ar 86400
mgr/devicehealth/self_heal bool ar true
mgr/devicehealth/sleep_interval secs ar 600
mgr/devicehealth/warn_threshold secs ar 7257600
mgr/influx/batch_size str a- 5000
mgr/influx/database str a- ceph
mgr/influx/hostname str a- None
mgr/influx/interval str a- 30
mgr/influx/log_level str ar{,critical,debug,error,info,warning}
mgr/influx/log_to_cluster bool ar false
mgr/influx/log_to_cluster_level str ar{,critical,debug,error,info,warning} info
mgr/influx/log_to_file bool ar false
mgr/influx/password str a- None
mgr/influx/port str a- 8086
mgr/influx/ssl str a- false
mgr/influx/threads str a- 5
mgr/influx/username str a- None
mgr/influx/verify_ssl str a- true
mgr/insights/log_level str ar{,critical,debug,error,info,warning}
mgr/insights/log_to_cluster bool ar false
mgr/insights/log_to_cluster_level str ar{,critical,debug,error,info,warning} info
mgr/insights/log_to_file bool ar false
mgr/iostat/log_level str ar{,critical,debug,error,info,warning}
mgr/iostat/log_to_cluster bool ar false
mgr/iostat/log_to_cluster_level str ar{,critical,debug,error,info,warning} info
mgr/iostat/log_to_file bool ar false
mgr/localpool/failure_domain str ar host
mgr/localpool/log_level str ar{,critical,debug,error,info,warning}
mgr/localpool/log_to_cluster bool ar false
mgr/localpool/log_to_cluster_level str ar{,critical,debug,error,info,warning} info
mgr/localpool/log_to_file bool ar false
mgr/localpool/min_size int ar 0
mgr/localpool/num_rep int ar 3
mgr/localpool/pg_num int ar 128
mgr/localpool/prefix str ar
mgr/localpool/subtree str ar rack
mgr/mirroring/log_level str ar{,critical,debug,error,info,warning}
mgr/mirroring/log_to_cluster bool ar false
mgr/mirroring/log_to_cluster_level str ar{,critical,debug,error,info,warning} info
mgr/mirroring/log_to_file bool ar false
mgr/nfs/log_level str ar{,critical,debug,error,info,warning}
mgr/nfs/log_to_cluster bool ar false
mgr/nfs/log_to_cluster_level str ar{,critical,debug,error,info,warning} info
mgr/nfs/log_to_file bool ar false
mgr/orchestrator/log_level str ar{,critical,debug,error,info,warning}
mgr/orchestrator/log_to_cluster bool ar false
mgr/orchestrator/log_to_cluster_level str ar{,critical,debug,error,info,warning} info
mgr/orchestrator/log_to_file bool ar false
mgr/orchestrator/orchestrator str ar{cephadm,rook,test_orchestrator}
mgr/osd_support/log_level str ar{,critical,debug,error,info,warning}
mgr/osd_support/log_to_cluster bool ar false
mgr/osd_support/log_to_cluster_level str ar{,critical,debug,error,info,warning} info
mgr/osd_support/log_to_file bool ar false
mgr/pg_autoscaler/log_level str ar{,critical,debug,error,info,warning}
mgr/pg_autoscaler/log_to_cluster bool ar false
mgr/pg_autoscaler/log_to_cluster_level str ar{,critical,debug,error,info,warning} info
mgr/pg_autoscaler/log_to_file bool ar false
mgr/pg_autoscaler/noautoscale bool a- false
mgr/pg_autoscaler/sleep_interval secs a- 60
mgr/progress/enabled bool a- true
mgr/progress/log_level str ar{,critical,debug,error,info,warning}
mgr/progress/log_to_cluster bool ar false
mgr/progress/log_to_cluster_level str ar{,critical,debug,error,info,warning} info
mgr/progress/log_to_file bool ar false
mgr/progress/max_completed_events int ar 50
mgr/progress/sleep_interval secs ar 5
mgr/prometheus/cache bool a- true
mgr/prometheus/log_level str ar{,critical,debug,error,info,warning}
mgr/prometheus/log_to_cluster bool ar false
mgr/prometheus/log_to_cluster_level str ar{,critical,debug,error,info,warning} info
mgr/prometheus/log_to_file bool ar false
mgr/prometheus/rbd_stats_pools str a-
mgr/prometheus/rbd_stats_pools_refresh_interval int a- 300
mgr/prometheus/scrape_interval float a- 15
mgr/prometheus/server_addr str a-
mgr/prometheus/server_port int ar 9283
mgr/prometheus/stale_cache_strategy str a- log
mgr/prometheus/standby_behaviour str ar{default,error} default
mgr/prometheus/standby_error_status_code int ar[400,599] 500
mgr/rbd_support/log_level str ar{,critical,debug,error,info,warning}
mgr/rbd_support/log_to_cluster bool ar false
mgr/rbd_support/log_to_cluster_level str ar{,critical,debug,error,info,warning} info
mgr/rbd_support/log_to_file bool ar false
mgr/rbd_support/max_concurrent_snap_create int a- 10
mgr/rbd_support/mirror_snapshot_schedule str a-
mgr/rbd_support/trash_purge_schedule str a-
mgr/restful/enable_auth bool a- true
mgr/restful/key_file str a-
mgr/restful/log_level str ar{,critical,debug,error,info,warning}
mgr/restful/log_to_cluster bool ar false
mgr/restful/log_to_cluster_level str ar{,critical,debug,error,info,warning} info
mgr/restful/log_to_file bool ar false
mgr/restful/server_addr str a-
mgr/restful/server_port str a-
mgr/selftest/log_level str ar{,critical,debug,error,info,warning}
mgr/selftest/log_to_cluster bool ar false
mgr/selftest/log_to_cluster_level str ar{,critical,debug,error,info,warning} info
mgr/selftest/log_to_file bool ar false
mgr/selftest/roption1 str a-
mgr/selftest/roption2 str a- xyz
mgr/selftest/rwoption1 str a-
mgr/selftest/rwoption2 int a- 0
mgr/selftest/rwoption3 float a- 0
mgr/selftest/rwoption4 str a-
mgr/selftest/rwoption5 bool a- false
mgr/selftest/rwoption6 bool a- true
mgr/selftest/testkey str a-
mgr/selftest/testlkey str a-
mgr/selftest/testnewline str a-
mgr/snap_schedule/allow_m_granularity bool ar false
mgr/snap_schedule/dump_on_update bool ar false
mgr/snap_schedule/log_level str ar{,critical,debug,error,info,warning}
mgr/snap_schedule/log_to_cluster bool ar false
mgr/snap_schedule/log_to_cluster_level str ar{,critical,debug,error,info,warning} info
mgr/snap_schedule/log_to_file bool ar false
mgr/stats/log_level str ar{,critical,debug,error,info,warning}
mgr/stats/log_to_cluster bool ar false
mgr/stats/log_to_cluster_level str ar{,critical,debug,error,info,warning} info
mgr/stats/log_to_file bool ar false
mgr/status/log_level str ar{,critical,debug,error,info,warning}
mgr/status/log_to_cluster bool ar false
mgr/status/log_to_cluster_level str ar{,critical,debug,error,info,warning} info
mgr/status/log_to_file bool ar false
mgr/telegraf/address str a- unixgram:///tmp/telegraf.sock
mgr/telegraf/interval secs a- 15
mgr/telegraf/log_level str ar{,critical,debug,error,info,warning}
mgr/telegraf/log_to_cluster bool ar false
mgr/telegraf/log_to_cluster_level str ar{,critical,debug,error,info,warning} info
mgr/telegraf/log_to_file bool ar false
mgr/telemetry/channel_basic bool a- true
mgr/telemetry/channel_crash bool a- true
mgr/telemetry/channel_device bool a- true
mgr/telemetry/channel_ident bool a- false
mgr/telemetry/contact str a- None
mgr/telemetry/description str a- None
mgr/telemetry/device_url str a- https://telemetry.ceph.com/device
mgr/telemetry/enabled bool a- false
mgr/telemetry/interval int a- 24
mgr/telemetry/last_opt_revision int a- 1
mgr/telemetry/leaderboard bool a- false
mgr/telemetry/log_level str ar{,critical,debug,error,info,warning}
mgr/telemetry/log_to_cluster bool ar false
mgr/telemetry/log_to_cluster_level str ar{,critical,debug,error,info,warning} info
mgr/telemetry/log_to_file bool ar false
mgr/telemetry/organization str a- None
mgr/telemetry/proxy str a- None
mgr/telemetry/url str a- https://telemetry.ceph.com/report
mgr/test_orchestrator/log_level str ar{,critical,debug,error,info,warning}
mgr/test_orchestrator/log_to_cluster bool ar false
mgr/test_orchestrator/log_to_cluster_level str ar{,critical,debug,error,info,warning} info
mgr/test_orchestrator/log_to_file bool ar false
mgr/volumes/log_level str ar{,critical,debug,error,info,warning}
mgr/volumes/log_to_cluster bool ar false
mgr/volumes/log_to_cluster_level str ar{,critical,debug,error,info,warning} info
mgr/volumes/log_to_file bool ar false
mgr/volumes/max_concurrent_clones int a- 4
mgr/volumes/snapshot_clone_delay int a- 0
mgr/zabbix/discovery_interval str a- 100
mgr/zabbix/identifier str a-
mgr/zabbix/interval secs a- 60
mgr/zabbix/log_level str ar{,critical,debug,error,info,warning}
mgr/zabbix/log_to_cluster bool ar false
mgr/zabbix/log_to_cluster_level str ar{,critical,debug,error,info,warning} info
mgr/zabbix/log_to_file bool ar false
mgr/zabbix/zabbix_host str a- None
mgr/zabbix/zabbix_port int a- 10051
mgr/zabbix/zabbix_sender str a- /usr/bin/zabbix_sender
mgr_client_bytes size dr 134217728
mgr_client_messages uint dr 512
mgr_client_service_daemon_unregister_timeout float dr 1
mgr_connect_retry_interval float dr 1
mgr_data str a- /var/lib/ceph/mgr/$cluster-$id
mgr_debug_aggressive_pg_num_changes bool dr false
mgr_disabled_modules str a- diskprediction_local
mgr_initial_modules str b- restful iostat nfs
mgr_max_pg_num_change int ar 128
mgr_mds_bytes size dr 134217728
mgr_mds_messages uint dr 128
mgr_module_path str a- /usr/share/ceph/mgr
mgr_mon_bytes size dr 134217728
mgr_mon_messages uint dr 128
mgr_osd_bytes size dr 536870912
mgr_osd_messages uint dr 8192
mgr_service_beacon_grace float ar 60
mgr_standby_modules bool ar true
mgr_stats_period int br 5
mgr_stats_threshold int ar[0,11] 5
mgr_tick_period secs ar 2
mgr_ttl_cache_expire_seconds uint d- 0
mon_accept_timeout_factor float ar 2
mon_allow_pool_delete bool ar false
mon_allow_pool_size_one bool ar false
mon_auth_validate_all_caps bool ar true
mon_cache_target_full_warn_ratio float a- 0.66
mon_clean_pg_upmaps_per_chunk uint dr 256
mon_client_bytes size ar 104857600
mon_client_directed_command_retry int dr 2
mon_client_hunt_interval float ar 3
mon_client_hunt_interval_backoff float ar 1.5
mon_client_hunt_interval_max_multiple float ar 10
mon_client_hunt_interval_min_multiple float ar 1
mon_client_hunt_parallel uint ar 3
mon_client_log_interval float ar 1
mon_client_max_log_entries_per_message int ar 1000
mon_client_ping_interval float ar 10
mon_client_ping_timeout float ar 30
mon_clock_drift_allowed float ar 0.05
mon_clock_drift_warn_backoff float ar 5
mon_cluster_log_file str ar default=/var/log/ceph/$cluster.$channel.log cluster=/var/log/ceph/$cluster.log
mon_cluster_log_file_level str ar debug
mon_cluster_log_to_file bool ar true
mon_cluster_log_to_graylog str ar false
mon_cluster_log_to_graylog_host str ar 127.0.0.1
mon_cluster_log_to_graylog_port str ar 12201
mon_cluster_log_to_stderr bool ar false
mon_cluster_log_to_syslog str ar default=false
mon_cluster_log_to_syslog_facility str ar daemon
mon_cluster_log_to_syslog_level str ar info
mon_compact_on_bootstrap bool ar false
mon_compact_on_start bool ar false
mon_compact_on_trim bool ar true
mon_con_tracker_persist_interval uint ar[1,100000] 10
mon_con_tracker_score_halflife uint ar[60,] 43200
mon_config_key_max_entry_size size ar 65536
mon_cpu_threads int ar 4
mon_crush_min_required_version str a- hammer
mon_daemon_bytes size ar 419430400
mon_data str a- /var/lib/ceph/mon/$cluster-$id
mon_data_avail_crit int ar 5
mon_data_avail_warn int ar 30
mon_data_size_warn size ar 16106127360
mon_debug_block_osdmap_trim bool dr false
mon_debug_deprecated_as_obsolete bool dr false
mon_debug_dump_json bool dr false
mon_debug_dump_location str d- /var/log/ceph/$cluster-$name.tdump
mon_debug_dump_transactions bool dr false
mon_debug_extra_checks bool dr false
mon_debug_no_initial_persistent_features bool d- false
mon_debug_no_require_bluestore_for_ec_overwrites bool dr false
mon_debug_no_require_octopus bool d- false
mon_debug_no_require_pacific bool d- false
mon_debug_unsafe_allow_tier_with_nonempty_snaps bool dr false
mon_delta_reset_interval float ar 10
mon_dns_srv_name str a- ceph-mon
mon_down_mkfs_grace secs ar 60
mon_election_default_strategy uint ar[1,3] 1
mon_election_timeout float ar 5
mon_elector_ignore_propose_margin float ar 0.0005
mon_elector_ping_divisor uint ar 2
mon_elector_ping_timeout float ar 2
mon_enable_op_tracker bool ar true
mon_fake_pool_delete bool ar false
mon_force_quorum_join bool ar false
mon_globalid_prealloc uint ar 10000
mon_health_detail_to_clog bool dr true
mon_health_log_update_period int dr 5
mon_health_max_detail uint ar 50
mon_health_to_clog bool ar true
mon_health_to_clog_interval int ar 600
mon_health_to_clog_tick_interval float dr 60
mon_host str b-
mon_host_override str a-
mon_initial_members str a-
mon_inject_pg_merge_bounce_probability float dr 0
mon_inject_sync_get_chunk_delay float dr 0
mon_inject_transaction_delay_max float dr 10
mon_inject_transaction_delay_probability float dr 0
mon_keyvaluedb str a-{leveldb,rocksdb} rocksdb
mon_lease float ar 5
mon_lease_ack_timeout_factor float ar[1.0001,100] 2
mon_lease_renew_interval_factor float ar[0,0.9999999] 0.6
mon_log_max_summary uint ar 50
mon_max_log_entries_per_event int ar 4096
mon_max_log_epochs int ar 500
mon_max_mdsmap_epochs int ar 500
mon_max_mgrmap_epochs int ar 500
mon_max_osd int ar 10000
mon_max_pg_per_osd uint ar[1,] 250
mon_max_pool_pg_num uint ar 65536
mon_max_snap_prune_per_epoch uint ar 100
mon_mds_blocklist_interval float dr[3600,] 86400
mon_mds_force_trim_to int dr 0
mon_mds_skip_sanity bool ar false
mon_memory_autotune bool br true
mon_memory_target size br 2147483648
mon_mgr_beacon_grace secs ar 30
mon_mgr_blocklist_interval float dr[3600,] 86400
mon_mgr_digest_period int dr 5
mon_mgr_inactive_grace int ar 60
mon_mgr_mkfs_grace int ar 120
mon_mgr_proxy_client_bytes_ratio float dr 0.3
mon_min_osdmap_epochs int ar 500
mon_op_complaint_time secs ar 30
mon_op_history_duration secs ar 600
mon_op_history_size uint ar 20
mon_op_history_slow_op_size uint ar 20
mon_op_history_slow_op_threshold secs ar 10
mon_op_log_threshold int ar 5
mon_osd_adjust_down_out_interval bool ar true
mon_osd_adjust_heartbeat_grace bool ar true
mon_osd_auto_mark_auto_out_in bool ar true
mon_osd_auto_mark_in bool ar false
mon_osd_auto_mark_new_in bool ar true
mon_osd_backfillfull_ratio float a- 0.9
mon_osd_blocklist_default_expire float ar 3600
mon_osd_cache_size int ar 500
mon_osd_cache_size_min size ar 134217728
mon_osd_crush_smoke_test bool ar true
mon_osd_destroyed_out_interval int ar 600
mon_osd_down_out_interval int ar 600
mon_osd_down_out_subtree_limit str ar rack
mon_osd_err_op_age_ratio float ar 128
mon_osd_force_trim_to int dr 0
mon_osd_full_ratio float a- 0.95
mon_osd_initial_require_min_compat_client str a- luminous
mon_osd_laggy_halflife int ar 3600
mon_osd_laggy_max_interval int ar 300
mon_osd_laggy_weight float ar[0,1] 0.3
mon_osd_mapping_pgs_per_chunk int dr 4096
mon_osd_max_creating_pgs int ar 1024
mon_osd_max_initial_pgs int ar 1024
mon_osd_min_down_reporters uint ar 2
mon_osd_min_in_ratio float ar 0.75
mon_osd_min_up_ratio float ar 0.3
mon_osd_nearfull_ratio float a- 0.85
mon_osd_prime_pg_temp bool dr true
mon_osd_prime_pg_temp_max_estimate float ar 0.25
mon_osd_prime_pg_temp_max_time float dr 0.5
mon_osd_report_timeout int ar 900
mon_osd_reporter_subtree_level str ar host
mon_osd_snap_trim_queue_warn_on int ar 32768
mon_osd_warn_num_repaired uint ar 10
mon_osd_warn_op_age float ar 32
mon_osdmap_full_prune_enabled bool ar true
mon_osdmap_full_prune_interval uint ar 10
mon_osdmap_full_prune_min uint ar 10000
mon_osdmap_full_prune_txsize uint ar 100
mon_pg_check_down_all_threshold float ar 0.5
mon_pg_stuck_threshold int ar 60
mon_pg_warn_max_object_skew float ar 10
mon_pg_warn_min_objects int ar 10000
mon_pg_warn_min_per_osd uint ar 0
mon_pg_warn_min_pool_objects int ar 1000
mon_pool_quota_crit_threshold int ar 0
mon_pool_quota_warn_threshold int ar 0
mon_probe_timeout float ar 2
mon_reweight_max_change float ar 0.05
mon_reweight_max_osds int ar 4
mon_reweight_min_bytes_per_osd size ar 104857600
mon_reweight_min_pgs_per_osd uint ar 10
mon_rocksdb_options str a- write_buffer_size=33554432,compression=kNoCompression,level_compaction_dynamic_level_bytes=true
mon_scrub_inject_crc_mismatch float dr 0
mon_scrub_inject_missing_keys float dr 0
mon_scrub_interval secs ar 86400
mon_scrub_max_keys int ar 100
mon_scrub_timeout int ar 300
mon_session_timeout int ar 300
mon_smart_report_timeout uint ar 5
mon_stat_smooth_intervals uint ar[1,] 6
mon_stretch_cluster_recovery_ratio float ar[0.51,1] 0.6
mon_stretch_pool_min_size uint dr[2,4] 2
mon_stretch_pool_size uint dr[3,6] 4
mon_stretch_recovery_min_wait float ar[1,] 15
mon_subscribe_interval float dr 86400
mon_sync_debug bool dr false
mon_sync_max_payload_keys int ar 2000
mon_sync_max_payload_size size ar 1048576
mon_sync_provider_kill_at int dr 0
mon_sync_requester_kill_at int dr 0
mon_sync_timeout float ar 60
mon_target_pg_per_osd uint ar[1,] 100
mon_tick_interval int ar 5
mon_timecheck_interval float ar 300
mon_timecheck_skew_interval float ar 30
mon_warn_older_version_delay secs ar 604800
mon_warn_on_cache_pools_without_hit_sets bool ar true
mon_warn_on_crush_straw_calc_version_zero bool ar true
mon_warn_on_degraded_stretch_mode bool ar true
mon_warn_on_insecure_global_id_reclaim bool ar true
mon_warn_on_insecure_global_id_reclaim_allowed bool ar true
mon_warn_on_legacy_crush_tunables bool ar true
mon_warn_on_misplaced bool ar false
mon_warn_on_msgr2_not_enabled bool ar true
mon_warn_on_older_version bool ar true
mon_warn_on_osd_down_out_interval_zero bool ar true
mon_warn_on_pool_no_app bool dr true
mon_warn_on_pool_no_redundancy bool ar true
mon_warn_on_pool_pg_num_not_power_of_two bool dr true
mon_warn_on_slow_ping_ratio float ar 0.05
mon_warn_on_slow_ping_time float ar 0
mon_warn_on_too_few_osds bool ar true
mon_warn_pg_not_deep_scrubbed_ratio float ar 0.75
mon_warn_pg_not_scrubbed_ratio float ar 0.5
monmap str a-
ms_async_op_threads uint ar[1,24] 3
ms_async_rdma_buffer_size size ar 131072
ms_async_rdma_cm bool ar false
ms_async_rdma_device_name str a-
ms_async_rdma_dscp int ar 96
ms_async_rdma_enable_hugepage bool ar false
ms_async_rdma_gid_idx int ar 0
ms_async_rdma_local_gid str a-
ms_async_rdma_polling_us uint ar 1000
ms_async_rdma_port_num uint ar 1
ms_async_rdma_receive_buffers uint ar 32768
ms_async_rdma_receive_queue_len uint ar 4096
ms_async_rdma_roce_ver int ar 1
ms_async_rdma_send_buffers uint ar 1024
ms_async_rdma_sl int ar 3
ms_async_rdma_support_srq bool ar true
ms_async_rdma_type str a- ib
ms_async_reap_threshold uint dr[1,] 5
ms_bind_before_connect bool ar false
ms_bind_ipv4 bool ar true
ms_bind_ipv6 bool ar false
ms_bind_msgr1 bool ar true
ms_bind_msgr2 bool ar true
ms_bind_port_max int ar 7300
ms_bind_port_min int ar 6800
ms_bind_prefer_ipv4 bool ar false
ms_bind_retry_count int ar 3
ms_bind_retry_delay int ar 5
ms_blackhole_client bool dr false
ms_blackhole_mds bool dr false
ms_blackhole_mgr bool dr false
ms_blackhole_mon bool dr false
ms_blackhole_osd bool dr false
ms_client_mode str b- crc secure
ms_cluster_mode str b- crc secure
ms_cluster_type str a-
ms_connection_idle_timeout uint ar 900
ms_connection_ready_timeout uint ar 10
ms_crc_data bool dr true
ms_crc_header bool dr true
ms_die_on_bad_msg bool dr false
ms_die_on_bug bool dr false
ms_die_on_old_message bool dr false
ms_die_on_skipped_message bool dr false
ms_die_on_unhandled_msg bool dr false
ms_dispatch_throttle_bytes size ar 104857600
ms_dpdk_coremask str a- 0xF
ms_dpdk_debug_allow_loopback bool dr false
ms_dpdk_gateway_ipv4_addr str a-
ms_dpdk_host_ipv4_addr str a-
ms_dpdk_hugepages str a-
ms_dpdk_hw_flow_control bool ar true
ms_dpdk_hw_queue_weight float ar 1
ms_dpdk_lro bool ar true
ms_dpdk_memory_channel str a- 4
ms_dpdk_netmask_ipv4_addr str a-
ms_dpdk_pmd str a-
ms_dpdk_port_id int ar 0
ms_dpdk_rx_buffer_count_per_core int ar 8192
ms_dump_corrupt_message_level int ar 1
ms_dump_on_send bool ar false
ms_initial_backoff float ar 0.2
ms_inject_delay_max float dr 1
ms_inject_delay_probability float dr 0
ms_inject_delay_type str dr
ms_inject_internal_delays float dr 0
ms_inject_socket_failures uint dr 0
ms_learn_addr_from_peer bool ar true
ms_max_accept_failures int ar 4
ms_max_backoff float ar 15
ms_mon_client_mode str b- secure crc
ms_mon_cluster_mode str b- secure crc
ms_mon_service_mode str b- secure crc
ms_pq_max_tokens_per_priority uint dr 16777216
ms_pq_min_cost size dr 65536
ms_public_type str a-
ms_service_mode str b- crc secure
ms_tcp_listen_backlog int ar 512
ms_tcp_nodelay bool ar true
ms_tcp_prefetch_max_size size ar 4096
ms_tcp_rcvbuf size ar 0
ms_type str a- async+posix
no_config_file bool a- false
objecter_completion_locks_per_session uint dr 32
objecter_debug_inject_relock_delay bool dr false
objecter_inflight_op_bytes size ar 104857600
objecter_inflight_ops uint ar 1024
objecter_inject_no_watch_ping bool dr false
objecter_retry_writes_after_first_reply bool dr false
objecter_tick_interval float dr 5
objecter_timeout float ar 10
objectstore_blackhole bool ar false
openssl_engine_opts str a-
osd_agent_delay_time float ar 5
osd_agent_hist_halflife int ar 1000
osd_agent_max_low_ops int ar 2
osd_agent_max_ops int ar 4
osd_agent_min_evict_effort float ar[0,0.99] 0.1
osd_agent_quantize_effort float ar 0.1
osd_agent_slop float ar 0.02
osd_aggregated_slow_ops_logging bool ar true
osd_allow_recovery_below_min_size bool dr true
osd_asio_thread_count uint ar[1,] 2
osd_async_recovery_min_cost uint ar 100
osd_auto_mark_unfound_lost bool ar false
osd_backfill_retry_interval float ar 30
osd_backfill_scan_max int ar 512
osd_backfill_scan_min int ar 64
osd_backoff_on_degraded bool ar false
osd_backoff_on_peering bool ar false
osd_backoff_on_unfound bool ar true
osd_beacon_report_interval int ar 300
osd_bench_duration uint ar 30
osd_bench_large_size_max_throughput size ar 104857600
osd_bench_max_block_size size ar 67108864
osd_bench_small_size_max_iops uint ar 100
osd_blkin_trace_all bool ar false
osd_calc_pg_upmaps_aggressively bool ar true
osd_calc_pg_upmaps_local_fallback_retries uint ar 100
osd_check_for_log_corruption bool ar false
osd_check_max_object_name_len_on_startup bool dr true
osd_class_default_list str a- cephfs hello journal lock log numops otp rbd refcount rgw rgw_gc timeindex user version cas cmpomap queue 2pc_queue fifo
osd_class_dir str a- /usr/lib/x86_64-linux-gnu/rados-classes
osd_class_load_list str a- cephfs hello journal lock log numops otp rbd refcount rgw rgw_gc timeindex user version cas cmpomap queue 2pc_queue fifo
osd_class_update_on_start bool ar true
osd_client_message_cap uint ar 256
osd_client_message_size_cap size ar 524288000
osd_client_op_priority uint ar 63
osd_client_watch_timeout int dr 30
osd_command_max_records int ar 256
osd_command_thread_suicide_timeout int ar 900
osd_command_thread_timeout int ar 600
osd_compact_on_start bool ar false
osd_copyfrom_max_chunk size ar 8388608
osd_crush_chooseleaf_type int d- 1
osd_crush_initial_weight float ar -1
osd_crush_update_on_start bool ar true
osd_crush_update_weight_set bool ar true
osd_data str a- /var/lib/ceph/osd/$cluster-$id
osd_debug_crash_on_ignored_backoff bool dr false
osd_debug_deep_scrub_sleep float dr 0
osd_debug_drop_ping_duration int dr 0
osd_debug_drop_ping_probability float dr 0
osd_debug_feed_pullee int dr -1
osd_debug_inject_copyfrom_error bool dr false
osd_debug_inject_dispatch_delay_duration float dr 0.1
osd_debug_inject_dispatch_delay_probability float dr 0
osd_debug_misdirected_ops bool dr false
osd_debug_no_acting_change bool dr false
osd_debug_no_purge_strays bool dr false
osd_debug_op_order bool dr false
osd_debug_pg_log_writeout bool dr false
osd_debug_pretend_recovery_active bool dr false
osd_debug_random_push_read_error float dr 0
osd_debug_reject_backfill_probability float dr 0
osd_debug_shutdown bool dr false
osd_debug_skip_full_check_in_backfill_reservation bool dr false
osd_debug_skip_full_check_in_recovery bool dr false
osd_debug_verify_cached_snaps bool dr false
osd_debug_verify_missing_on_start bool dr false
osd_debug_verify_snaps bool dr false
osd_debug_verify_stray_on_activate bool dr false
osd_deep_scrub_interval float ar 604800
osd_deep_scrub_keys int ar 1024
osd_deep_scrub_large_omap_object_key_threshold uint ar 200000
osd_deep_scrub_large_omap_object_value_sum_threshold size ar 1073741824
osd_deep_scrub_randomize_ratio float ar 0.15
osd_deep_scrub_stride size ar 524288
osd_deep_scrub_update_digest_min_age int ar 7200
osd_default_data_pool_replay_window int ar 45
osd_default_notify_timeout uint ar 30
osd_delete_sleep float ar 0
osd_delete_sleep_hdd float ar 5
osd_delete_sleep_hybrid float ar 1
osd_delete_sleep_ssd float ar 1
osd_discard_disconnected_ops bool ar true
osd_enable_op_tracker bool ar true
osd_erasure_code_plugins str a- jerasure lrc isa
osd_failsafe_full_ratio float ar 0.97
osd_fast_fail_on_connection_refused bool ar true
osd_fast_info bool ar true
osd_fast_shutdown bool ar true
osd_fast_shutdown_notify_mon bool ar true
osd_find_best_info_ignore_history_les bool dr false
osd_force_auth_primary_missing_objects uint ar 100
osd_force_recovery_pg_log_entries_factor float dr 1.3
osd_function_tracing bool ar false
osd_heartbeat_grace int ar 20
osd_heartbeat_interval int dr[1,60] 6
osd_heartbeat_min_healthy_ratio float ar 0.33
osd_heartbeat_min_peers int ar 10
osd_heartbeat_min_size size ar 2000
osd_heartbeat_stale int ar 600
osd_heartbeat_use_min_delay_socket bool ar false
osd_hit_set_max_size int ar 100000
osd_hit_set_min_size int ar 1000
osd_hit_set_namespace str a- .ceph-internal
osd_ignore_stale_divergent_priors bool ar false
osd_inject_bad_map_crc_probability float dr 0
osd_inject_failure_on_pg_removal bool dr false
osd_journal str a- /var/lib/ceph/osd/$cluster-$id/journal
osd_journal_flush_on_shutdown bool ar true
osd_journal_size size a- 5120
osd_kill_backfill_at int dr 0
osd_loop_before_reset_tphandle uint ar 64
osd_map_cache_size int ar 50
osd_map_dedup bool ar true
osd_map_message_max int ar 40
osd_map_message_max_bytes size ar 10485760
osd_map_share_max_epochs int ar 40
osd_max_attr_name_len uint ar 100
osd_max_attr_size uint ar 0
osd_max_backfills uint ar 1
osd_max_markdown_count int ar 5
osd_max_markdown_period int ar 600
osd_max_object_name_len uint ar 2048
osd_max_object_namespace_len uint ar 256
osd_max_object_size size ar 134217728
osd_max_omap_bytes_per_request size ar 1073741824
osd_max_omap_entries_per_request uint ar 1024
osd_max_pg_blocked_by uint ar 16
osd_max_pg_log_entries uint dr 10000
osd_max_pg_per_osd_hard_ratio float ar[1,] 3
osd_max_pgls uint ar 1024
osd_max_push_cost size ar 8388608
osd_max_push_objects uint ar 10
osd_max_scrubs int ar 1
osd_max_snap_prune_intervals_per_epoch uint dr 512
osd_max_trimming_pgs uint ar 2
osd_max_write_op_reply_len size ar 64
osd_max_write_size size ar[4,] 90
osd_mclock_cost_per_byte_usec float dr 0
osd_mclock_cost_per_byte_usec_hdd float dr 5.2
osd_mclock_cost_per_byte_usec_ssd float dr 0.011
osd_mclock_cost_per_io_usec float dr 0
osd_mclock_cost_per_io_usec_hdd float dr 25000
osd_mclock_cost_per_io_usec_ssd float dr 50
osd_mclock_force_run_benchmark_on_init bool a- false
osd_mclock_max_capacity_iops_hdd float br 315
osd_mclock_max_capacity_iops_ssd float br 21500
osd_mclock_profile str ar{balanced,high_recovery_ops,high_client_ops,custom} high_client_ops
osd_mclock_scheduler_anticipation_timeout float ar 0
osd_mclock_scheduler_background_best_effort_lim uint ar 999999
osd_mclock_scheduler_background_best_effort_res uint ar 1
osd_mclock_scheduler_background_best_effort_wgt uint ar 1
osd_mclock_scheduler_background_recovery_lim uint ar 999999
osd_mclock_scheduler_background_recovery_res uint ar 1
osd_mclock_scheduler_background_recovery_wgt uint ar 1
osd_mclock_scheduler_client_lim uint ar 999999
osd_mclock_scheduler_client_res uint ar 1
osd_mclock_scheduler_client_wgt uint ar 1
osd_mclock_skip_benchmark bool dr false
osd_memory_base size dr 805306368
osd_memory_cache_min size dr[134217728,] 134217728
osd_memory_cache_resize_interval float dr 1
osd_memory_expected_fragmentation float dr[0,1] 0.15
osd_memory_target size br[939524096,] 4294967296
osd_memory_target_autotune bool ar false
osd_memory_target_cgroup_limit_ratio float ar[0,1] 0.8
osd_min_pg_log_entries uint dr 250
osd_min_recovery_priority int ar 0
osd_mon_heartbeat_interval int ar 30
osd_mon_heartbeat_stat_stale int ar 3600
osd_mon_report_interval int ar 5
osd_mon_report_max_in_flight int ar 2
osd_mon_shutdown_timeout float ar 5
osd_num_cache_shards size a- 32
osd_num_op_tracker_shard uint ar 32
osd_numa_auto_affinity bool a- true
osd_numa_node int a- -1
osd_numa_prefer_iface bool a- true
osd_object_clean_region_max_num_intervals int dr 10
osd_objecter_finishers int a- 1
osd_objectstore str a-{bluestore,filestore,memstore,kstore} bluestore
osd_objectstore_fuse bool ar false
osd_objectstore_tracing bool ar false
osd_op_complaint_time float ar 30
osd_op_history_duration uint ar 600
osd_op_history_size uint ar 20
osd_op_history_slow_op_size uint ar 20
osd_op_history_slow_op_threshold float ar 10
osd_op_log_threshold int ar 5
osd_op_num_shards int a- 0
osd_op_num_shards_hdd int a- 5
osd_op_num_shards_ssd int a- 8
osd_op_num_threads_per_shard int a- 0
osd_op_num_threads_per_shard_hdd int a- 1
osd_op_num_threads_per_shard_ssd int a- 2
osd_op_pq_max_tokens_per_priority uint ar 4194304
osd_op_pq_min_cost size ar 65536
osd_op_queue str a-{wpq,mclock_scheduler,debug_random} wpq
osd_op_queue_cut_off str a-{low,high,debug_random} high
osd_op_thread_suicide_timeout int ar 150
osd_op_thread_timeout int ar 15
osd_open_classes_on_start bool ar true
osd_os_flags uint dr 0
osd_peering_op_priority uint dr 255
osd_pg_delete_cost size ar 1048576
osd_pg_delete_priority uint ar 5
osd_pg_epoch_max_lag_factor float ar 2
osd_pg_epoch_persisted_max_stale uint ar 40
osd_pg_log_dups_tracked uint dr 3000
osd_pg_log_trim_max uint ar 10000
osd_pg_log_trim_min uint dr 100
osd_pg_max_concurrent_snap_trims uint ar[1,] 2
osd_pg_object_context_cache_count int ar 64
osd_pg_stat_report_interval_max int ar 500
osd_pool_default_cache_max_evict_check_size int ar 10
osd_pool_default_cache_min_evict_age int ar 0
osd_pool_default_cache_min_flush_age int ar 0
osd_pool_default_cache_target_dirty_high_ratio float ar 0.6
osd_pool_default_cache_target_dirty_ratio float ar 0.4
osd_pool_default_cache_target_full_ratio float ar 0.8
osd_pool_default_crush_rule int ar -1
osd_pool_default_ec_fast_read bool ar false
osd_pool_default_erasure_code_profile str ar plugin=jerasure technique=reed_sol_van k=2 m=2
osd_pool_default_flag_bulk bool ar false
osd_pool_default_flag_hashpspool bool ar true
osd_pool_default_flag_nodelete bool ar false
osd_pool_default_flag_nopgchange bool ar false
osd_pool_default_flag_nosizechange bool ar false
osd_pool_default_flags int dr 0
osd_pool_default_hit_set_bloom_fpp float ar 0.05
osd_pool_default_min_size uint ar[0,255] 0
osd_pool_default_pg_autoscale_mode str ar{off,warn,on} on
osd_pool_default_pg_num uint ar 32
osd_pool_default_pgp_num uint ar 0
osd_pool_default_read_lease_ratio float dr 0.8
osd_pool_default_size uint ar[0,10] 3
osd_pool_default_type str ar{replicated,erasure} replicated
osd_pool_erasure_code_stripe_unit size ar 4096
osd_pool_use_gmt_hitset bool dr true
osd_push_per_object_cost size ar 1000
osd_read_ec_check_for_errors bool ar false
osd_recover_clone_overlap bool ar true
osd_recover_clone_overlap_limit uint ar 10
osd_recovery_cost size ar 20971520
osd_recovery_delay_start float ar 0
osd_recovery_max_active uint ar 0
osd_recovery_max_active_hdd uint ar 3
osd_recovery_max_active_ssd uint ar 10
osd_recovery_max_chunk size ar 8388608
osd_recovery_max_omap_entries_per_chunk uint ar 8096
osd_recovery_max_single_start uint ar 1
osd_recovery_op_priority uint ar 3
osd_recovery_op_warn_multiple uint ar 16
osd_recovery_priority uint ar 5
osd_recovery_retry_interval float ar 30
osd_recovery_sleep float ar 0
osd_recovery_sleep_hdd float ar 0.1
osd_recovery_sleep_hybrid float ar 0.025
osd_recovery_sleep_ssd float ar 0
osd_repair_during_recovery bool ar false
osd_requested_scrub_priority uint ar 120
osd_rocksdb_iterator_bounds_enabled bool dr true
osd_rollback_to_cluster_snap str a-
osd_scrub_auto_repair bool ar false
osd_scrub_auto_repair_num_errors uint ar 5
osd_scrub_backoff_ratio float dr 0.66
osd_scrub_begin_hour int ar[0,23] 0
osd_scrub_begin_week_day int ar[0,6] 0
osd_scrub_chunk_max int ar 25
osd_scrub_chunk_min int ar 5
osd_scrub_cost size ar 52428800
osd_scrub_during_recovery bool ar false
osd_scrub_end_hour int ar[0,23] 0
osd_scrub_end_week_day int ar[0,6] 0
osd_scrub_extended_sleep float ar 0
osd_scrub_interval_randomize_ratio float ar 0.5
osd_scrub_invalid_stats bool ar true
osd_scrub_load_threshold float ar 0.5
osd_scrub_max_interval float ar 604800
osd_scrub_max_preemptions uint ar[0,30] 5
osd_scrub_min_interval float ar 86400
osd_scrub_priority uint ar 5
osd_scrub_sleep float ar 0
osd_shutdown_pgref_assert bool ar false
osd_skip_data_digest bool dr false
osd_smart_report_timeout uint ar 5
osd_snap_trim_cost size ar 1048576
osd_snap_trim_priority uint ar 5
osd_snap_trim_sleep float ar 0
osd_snap_trim_sleep_hdd float ar 5
osd_snap_trim_sleep_hybrid float ar 2
osd_snap_trim_sleep_ssd float ar 0
osd_target_pg_log_entries_per_osd uint dr 300000
osd_target_transaction_size int ar 30
osd_tier_default_cache_hit_set_count uint ar 4
osd_tier_default_cache_hit_set_grade_decay_rate uint ar 20
osd_tier_default_cache_hit_set_period uint ar 1200
osd_tier_default_cache_hit_set_search_last_n uint ar 1
osd_tier_default_cache_hit_set_type str ar{bloom,explicit_hash,explicit_object} bloom
osd_tier_default_cache_min_read_recency_for_promote uint ar 1
osd_tier_default_cache_min_write_recency_for_promote uint ar 1
osd_tier_default_cache_mode str ar{none,writeback,forward,readonly,readforward,readproxy,proxy} writeback
osd_tier_promote_max_bytes_sec size ar 5242880
osd_tier_promote_max_objects_sec uint ar 25
osd_tracing bool ar false
osd_use_stale_snap bool ar false
osd_uuid uuid a- 00000000-0000-0000-0000-000000000000
osdc_blkin_trace_all bool ar false
paxos_kill_at int dr 0
paxos_max_join_drift int ar 10
paxos_min int ar 500
paxos_min_wait float ar 0.05
paxos_propose_interval float ar 1
paxos_service_trim_max uint ar 500
paxos_service_trim_max_multiplier uint ar 20
paxos_service_trim_min uint ar 250
paxos_stash_full_interval int ar 25
paxos_trim_max int ar 500
paxos_trim_min int ar 250
perf bool ar true
pid_file str a-
plugin_crypto_accelerator str a- crypto_isal
plugin_dir str a- /usr/lib/x86_64-linux-gnu/ceph
public_addr addr b- -
public_addrv addrvec b-
public_bind_addr addr a- -
public_network str a-
public_network_interface str a-
qat_compressor_enabled bool ar false
rados_mon_op_timeout secs ar[0,] 0
rados_osd_op_timeout secs ar[0,] 0
rados_tracing bool ar false
rbd_atime_update_interval uint ar 60
rbd_auto_exclusive_lock_until_manual_request bool ar true
rbd_balance_parent_reads bool ar false
rbd_balance_snap_reads bool ar false
rbd_blkin_trace_all bool ar false
rbd_blocklist_expire_seconds uint ar 0
rbd_blocklist_on_break_lock bool ar true
rbd_cache bool ar true
rbd_cache_block_writes_upfront bool ar false
rbd_cache_max_dirty size ar 25165824
rbd_cache_max_dirty_age float ar 1
rbd_cache_max_dirty_object uint ar 0
rbd_cache_policy str a-{writethrough,writeback,writearound} writearound
rbd_cache_size size ar 33554432
rbd_cache_target_dirty size ar 16777216
rbd_cache_writethrough_until_flush bool ar true
rbd_clone_copy_on_read bool ar false
rbd_compression_hint str br{none,compressible,incompressible} none
rbd_concurrent_management_ops uint ar[1,] 10
rbd_config_pool_override_update_timestamp uint dr 0
rbd_default_clone_format str ar{1,2,auto} auto
rbd_default_data_pool str a-
rbd_default_features str ar layering,exclusive-lock,object-map,fast-diff,deep-flatten
rbd_default_format uint ar 2
rbd_default_map_options str a-
rbd_default_order uint ar 22
rbd_default_pool str a- rbd
rbd_default_snapshot_quiesce_mode str a-{required,ignore-error,skip} required
rbd_default_stripe_count uint ar 0
rbd_default_stripe_unit size ar 0
rbd_disable_zero_copy_writes bool ar true
rbd_discard_granularity_bytes uint ar[4096,33554432] 65536
rbd_discard_on_zeroed_write_same bool ar true
rbd_enable_alloc_hint bool ar true
rbd_invalidate_object_map_on_timeout bool dr true
rbd_io_scheduler str a-{none,simple} simple
rbd_io_scheduler_simple_max_delay uint ar 0
rbd_journal_commit_age float ar 5
rbd_journal_max_concurrent_object_sets uint ar 0
rbd_journal_max_payload_bytes size ar 16384
rbd_journal_object_flush_age float ar 0
rbd_journal_object_flush_bytes size ar 1048576
rbd_journal_object_flush_interval uint ar 0
rbd_journal_object_max_in_flight_appends uint ar 0
rbd_journal_object_writethrough_until_flush bool ar true
rbd_journal_order uint ar[12,26] 24
rbd_journal_pool str a-
rbd_journal_splay_width uint ar 4
rbd_localize_parent_reads bool ar false
rbd_localize_snap_reads bool ar false
rbd_mirror_concurrent_image_deletions uint ar[1,] 1
rbd_mirror_concurrent_image_syncs uint ar 5
rbd_mirror_delete_retry_interval float ar 30
rbd_mirror_image_perf_stats_prio int ar[0,11] 5
rbd_mirror_image_policy_migration_throttle uint ar 300
rbd_mirror_image_policy_rebalance_timeout float ar 0
rbd_mirror_image_policy_type str a-{none,simple} simple
rbd_mirror_image_policy_update_throttle_interval float ar[1,] 1
rbd_mirror_image_state_check_interval uint ar[1,] 30
rbd_mirror_journal_commit_age float ar 5
rbd_mirror_journal_poll_age float ar 5
rbd_mirror_leader_heartbeat_interval uint ar[1,] 5
rbd_mirror_leader_max_acquire_attempts_before_break uint ar 3
rbd_mirror_leader_max_missed_heartbeats uint ar 2
rbd_mirror_memory_autotune bool dr true
rbd_mirror_memory_base size dr 805306368
rbd_mirror_memory_cache_autotune_interval float dr 30
rbd_mirror_memory_cache_min size dr 134217728
rbd_mirror_memory_cache_resize_interval float dr 5
rbd_mirror_memory_expected_fragmentation float dr[0,1] 0.15
rbd_mirror_memory_target size br 4294967296
rbd_mirror_perf_stats_prio int ar[0,11] 5
rbd_mirror_pool_replayers_refresh_interval uint ar 30
rbd_mirror_sync_point_update_age float ar 30
rbd_mirroring_delete_delay uint ar 0
rbd_mirroring_max_mirroring_snapshots uint ar[3,] 5
rbd_mirroring_replay_delay uint ar 0
rbd_mirroring_resync_after_disconnect bool ar false
rbd_move_parent_to_trash_on_remove bool br false
rbd_move_to_trash_on_remove bool br false
rbd_move_to_trash_on_remove_expire_seconds uint br 0
rbd_mtime_update_interval uint ar 60
rbd_non_blocking_aio bool ar true
rbd_op_thread_timeout uint ar 60
rbd_op_threads uint ar 1
rbd_parent_cache_enabled bool ar false
rbd_persistent_cache_mode str a-{disabled,rwl,ssd} disabled
rbd_persistent_cache_path str a- /tmp
rbd_persistent_cache_size uint ar[1073741824,] 1073741824
rbd_plugins str a-
rbd_qos_bps_burst uint ar 0
rbd_qos_bps_burst_seconds uint ar[1,] 1
rbd_qos_bps_limit uint ar 0
rbd_qos_iops_burst uint ar 0
rbd_qos_iops_burst_seconds uint ar[1,] 1
rbd_qos_iops_limit uint ar 0
rbd_qos_read_bps_burst uint ar 0
rbd_qos_read_bps_burst_seconds uint ar[1,] 1
rbd_qos_read_bps_limit uint ar 0
rbd_qos_read_iops_burst uint ar 0
rbd_qos_read_iops_burst_seconds uint ar[1,] 1
rbd_qos_read_iops_limit uint ar 0
rbd_qos_schedule_tick_min uint ar[1,] 50
rbd_qos_write_bps_burst uint ar 0
rbd_qos_write_bps_burst_seconds uint ar[1,] 1
rbd_qos_write_bps_limit uint ar 0
rbd_qos_write_iops_burst uint ar 0
rbd_qos_write_iops_burst_seconds uint ar[1,] 1
rbd_qos_write_iops_limit uint ar 0
rbd_quiesce_notification_attempts uint dr[1,] 10
rbd_read_from_replica_policy str br{default,balance,localize} default
rbd_readahead_disable_after_bytes size ar 52428800
rbd_readahead_max_bytes size ar 524288
rbd_readahead_trigger_requests uint ar 10
rbd_request_timed_out_seconds uint ar 30
rbd_skip_partial_discard bool ar true
rbd_sparse_read_threshold_bytes size ar 65536
rbd_tracing bool ar false
rbd_validate_names bool ar true
rbd_validate_pool bool ar true
restapi_base_url str a-
restapi_log_level str a-
rgw_acl_grants_max_num int ar 100
rgw_admin_entry str a- admin
rgw_barbican_url str a-
rgw_bucket_default_quota_max_objects int br -1
rgw_bucket_default_quota_max_size int ar -1
rgw_bucket_index_max_aio uint ar 128
rgw_bucket_quota_cache_size int ar 10000
rgw_bucket_quota_ttl int ar 600
rgw_cache_enabled bool ar true
rgw_cache_expiry_interval uint ar 900
rgw_cache_lru_size int ar 10000
rgw_content_length_compat bool ar false
rgw_copy_obj_progress bool ar true
rgw_copy_obj_progress_every_bytes size ar 1048576
rgw_cors_rules_max_num int ar 100
rgw_cross_domain_policy str a- <allow-access-from domain="*" secure="false" />
rgw_crypt_default_encryption_key str d-
rgw_crypt_kmip_addr str a-
rgw_crypt_kmip_ca_path str a-
rgw_crypt_kmip_client_cert str a-
rgw_crypt_kmip_client_key str a-
rgw_crypt_kmip_kms_key_template str a-
rgw_crypt_kmip_password str a-
rgw_crypt_kmip_s3_key_template str a- $keyid
rgw_crypt_kmip_username str a-
rgw_crypt_require_ssl bool ar true
rgw_crypt_s3_kms_backend str a-{barbican,vault,testing,kmip} barbican
rgw_crypt_s3_kms_encryption_keys str d-
rgw_crypt_suppress_logs bool ar true
rgw_crypt_vault_addr str a-
rgw_crypt_vault_auth str a-{token,agent} token
rgw_crypt_vault_namespace str a-
rgw_crypt_vault_prefix str a-
rgw_crypt_vault_secret_engine str a- transit
rgw_crypt_vault_ssl_cacert str a-
rgw_crypt_vault_ssl_clientcert str a-
rgw_crypt_vault_ssl_clientkey str a-
rgw_crypt_vault_token_file str a-
rgw_crypt_vault_verify_ssl bool ar true
rgw_curl_buffersize int dr[1024,524288] 524288
rgw_curl_low_speed_limit int ar 1024
rgw_curl_low_speed_time int ar 300
rgw_curl_wait_timeout_ms int dr 1000
rgw_data str a- /var/lib/ceph/radosgw/$cluster-$id
rgw_data_log_changes_size int dr 1000
rgw_data_log_num_shards int ar 128
rgw_data_log_obj_prefix str d- data_log
rgw_data_log_window int ar 30
rgw_data_notify_interval_msec int ar 200
rgw_debug_inject_olh_cancel_modification_err bool dr false
rgw_debug_inject_set_olh_err uint dr 0
rgw_default_data_log_backing str a-{fifo,omap} fifo
rgw_default_realm_info_oid str a- default.realm
rgw_default_region_info_oid str a- default.region
rgw_default_zone_info_oid str a- default.zone
rgw_default_zonegroup_info_oid str a- default.zonegroup
rgw_defer_to_bucket_acls str a-
rgw_delete_multi_obj_max_num int ar 1000
rgw_dmclock_admin_lim float ar 0
rgw_dmclock_admin_res float ar 100
rgw_dmclock_admin_wgt float ar 100
rgw_dmclock_auth_lim float ar 0
rgw_dmclock_auth_res float ar 200
rgw_dmclock_auth_wgt float ar 100
rgw_dmclock_data_lim float ar 0
rgw_dmclock_data_res float ar 500
rgw_dmclock_data_wgt float ar 500
rgw_dmclock_metadata_lim float ar 0
rgw_dmclock_metadata_res float ar 500
rgw_dmclock_metadata_wgt float ar 500
rgw_dns_name str a-
rgw_dns_s3website_name str a-
rgw_dynamic_resharding bool br true
rgw_enable_apis str a- s3, s3website, swift, swift_auth, admin, sts, iam, notifications
rgw_enable_gc_threads bool ar true
rgw_enable_lc_threads bool ar true
rgw_enable_ops_log bool ar false
rgw_enable_quota_threads bool ar true
rgw_enable_static_website bool br false
rgw_enable_usage_log bool ar false
rgw_enforce_swift_acls bool ar true
rgw_exit_timeout_secs int ar 120
rgw_expose_bucket bool ar false
rgw_extended_http_attrs str a-
rgw_fcgi_socket_backlog int ar 1024
rgw_frontend_defaults str a- beast ssl_certificate=config://rgw/cert/$realm/$zone.crt ssl_private_key=config://rgw/cert/$realm/$zone.key
rgw_frontends str b- beast port=7480
rgw_gc_max_concurrent_io int ar 10
rgw_gc_max_deferred uint ar 50
rgw_gc_max_deferred_entries_size uint ar 3072
rgw_gc_max_objs int ar 32
rgw_gc_max_queue_size uint ar 134213632
rgw_gc_max_trim_chunk int ar 16
rgw_gc_obj_min_wait int ar 7200
rgw_gc_processor_max_time int ar 3600
rgw_gc_processor_period int ar 3600
rgw_get_obj_max_req_size size ar 4194304
rgw_get_obj_window_size size ar 16777216
rgw_healthcheck_disabling_path str d-
rgw_host str a-
rgw_ignore_get_invalid_range bool ar false
rgw_init_timeout int br 300
rgw_inject_notify_timeout_probability float dr[0,1] 0
rgw_keystone_accepted_admin_roles str a-
rgw_keystone_accepted_roles str a- Member, admin
rgw_keystone_admin_domain str a-
rgw_keystone_admin_password str a-
rgw_keystone_admin_password_path str a-
rgw_keystone_admin_project str a-
rgw_keystone_admin_tenant str a-
rgw_keystone_admin_token str a-
rgw_keystone_admin_token_path str a-
rgw_keystone_admin_user str a-
rgw_keystone_api_version int ar 2
rgw_keystone_barbican_domain str a-
rgw_keystone_barbican_password str a-
rgw_keystone_barbican_project str a-
rgw_keystone_barbican_tenant str a-
rgw_keystone_barbican_user str a-
rgw_keystone_implicit_tenants str a-{false,true,swift,s3,both,0,1,none} false
rgw_keystone_token_cache_size int ar 10000
rgw_keystone_url str b-
rgw_keystone_verify_ssl bool ar true
rgw_lc_debug_interval int dr -1
rgw_lc_lock_max_time int dr 90
rgw_lc_max_objs int ar 32
rgw_lc_max_rules uint ar 1000
rgw_lc_max_worker int ar 3
rgw_lc_max_wp_worker int ar 3
rgw_lc_thread_delay int ar 0
rgw_ldap_binddn str a- uid=admin,cn=users,dc=example,dc=com
rgw_ldap_dnattr str a- uid
rgw_ldap_searchdn str a- cn=users,cn=accounts,dc=example,dc=com
rgw_ldap_searchfilter str a-
rgw_ldap_secret str a- /etc/openldap/secret
rgw_ldap_uri str a- ldaps://<ldap.your.domain>
rgw_lifecycle_work_time str a- 00:00-06:00
rgw_list_bucket_min_readahead int ar 1000
rgw_list_buckets_max_chunk int ar 1000
rgw_log_http_headers str b-
rgw_log_nonexistent_bucket bool ar false
rgw_log_object_name str a- %Y-%m-%d-%H-%i-%n
rgw_log_object_name_utc bool ar false
rgw_luarocks_location str a- /tmp/luarocks
rgw_max_attr_name_len size ar 0
rgw_max_attr_size size ar 0
rgw_max_attrs_num_in_req uint ar 0
rgw_max_chunk_size size ar 4194304
rgw_max_concurrent_requests int br 1024
rgw_max_dynamic_shards uint ar[1,] 1999
rgw_max_listing_results uint ar[1,100000] 1000
rgw_max_notify_retries uint ar 10
rgw_max_objs_per_shard uint br 100000
rgw_max_put_param_size size ar 1048576
rgw_max_put_size size ar 5368709120
rgw_max_slo_entries int ar 1000
rgw_md_log_max_shards int ar 64
rgw_md_notify_interval_msec int ar 200
rgw_mime_types_file str b- /etc/mime.types
rgw_mp_lock_max_time int ar 600
rgw_multi_obj_del_max_aio uint ar 16
rgw_multipart_min_part_size size ar 5242880
rgw_multipart_part_upload_limit int ar 10000
rgw_nfs_fhcache_partitions int ar 3
rgw_nfs_fhcache_size int ar 2017
rgw_nfs_lru_lane_hiwat int ar 911
rgw_nfs_lru_lanes int ar 5
rgw_nfs_max_gc int ar[1,] 300
rgw_nfs_namespace_expire_secs int ar[1,] 300
rgw_nfs_run_gc_threads bool ar false
rgw_nfs_run_lc_threads bool ar false
rgw_nfs_run_quota_threads bool ar false
rgw_nfs_run_sync_thread bool ar false
rgw_nfs_s3_fast_attrs bool ar false
rgw_nfs_write_completion_interval_s int ar 10
rgw_num_async_rados_threads int ar 32
rgw_num_control_oids int ar 8
rgw_num_rados_handles uint ar 1
rgw_numa_node int a- -1
rgw_obj_stripe_size size ar 4194304
rgw_obj_tombstone_cache_size int ar 1000
rgw_objexp_chunk_size uint dr 100
rgw_objexp_gc_interval uint ar 600
rgw_objexp_hints_num_shards uint ar 127
rgw_olh_pending_timeout_sec int dr 3600
rgw_op_thread_suicide_timeout int dr 0
rgw_op_thread_timeout int dr 600
rgw_op_tracing bool ar false
rgw_opa_token str a-
rgw_opa_url str a-
rgw_opa_verify_ssl bool ar true
rgw_ops_log_data_backlog size ar 5242880
rgw_ops_log_file_path str a-
rgw_ops_log_rados bool ar true
rgw_ops_log_socket_path str a-
rgw_override_bucket_index_max_shards uint dr 0
rgw_period_latest_epoch_info_oid str d- .latest_epoch
rgw_period_push_interval float ar 2
rgw_period_push_interval_max float ar 30
rgw_period_root_pool str a- .rgw.root
rgw_port str b-
rgw_print_continue bool ar true
rgw_print_prohibited_content_length bool ar false
rgw_put_obj_max_window_size size ar 67108864
rgw_put_obj_min_window_size size ar 16777216
rgw_rados_pool_autoscale_bias float ar[0.01,100000] 4
rgw_rados_pool_recovery_priority uint ar[18446744073709551606,10] 5
rgw_rados_tracing bool ar false
rgw_realm str a-
rgw_realm_root_pool str a- .rgw.root
rgw_region str a-
rgw_region_root_pool str a- .rgw.root
rgw_relaxed_region_enforcement bool ar false
rgw_relaxed_s3_bucket_names bool ar false
rgw_remote_addr_param str a- REMOTE_ADDR
rgw_request_uri str d-
rgw_reshard_batch_size uint ar[8,] 64
rgw_reshard_bucket_lock_duration uint ar[30,] 360
rgw_reshard_max_aio uint ar[16,] 128
rgw_reshard_num_logs uint ar[1,] 16
rgw_reshard_thread_interval uint ar[10,] 600
rgw_resolve_cname bool ar false
rgw_rest_getusage_op_compat bool ar false
rgw_run_sync_thread bool ar true
rgw_s3_auth_order str a- sts, external, local
rgw_s3_auth_use_keystone bool ar false
rgw_s3_auth_use_ldap bool ar false
rgw_s3_auth_use_rados bool ar true
rgw_s3_auth_use_sts bool ar false
rgw_s3_success_create_obj_status int ar 0
rgw_safe_max_objects_per_shard int ar 102400
rgw_scheduler_type str a- throttler
rgw_script_uri str d-
rgw_service_provider_name str a-
rgw_shard_warning_threshold float ar 90
rgw_socket_path str a-
rgw_sts_client_id str a-
rgw_sts_client_secret str a-
rgw_sts_entry str a- sts
rgw_sts_key str a- sts
rgw_sts_max_session_duration uint ar 43200
rgw_sts_min_session_duration uint ar 900
rgw_sts_token_introspection_url str a-
rgw_swift_account_in_url bool ar false
rgw_swift_auth_entry str a- auth
rgw_swift_auth_url str a-
rgw_swift_custom_header str a-
rgw_swift_enforce_content_length bool ar false
rgw_swift_need_stats bool ar true
rgw_swift_tenant_name str a-
rgw_swift_token_expiration int ar 86400
rgw_swift_url str a-
rgw_swift_url_prefix str a- swift
rgw_swift_versioning_enabled bool ar false
rgw_sync_data_inject_err_probability float dr 0
rgw_sync_lease_period int dr 120
rgw_sync_log_trim_concurrent_buckets int ar 4
rgw_sync_log_trim_interval int ar 1200
rgw_sync_log_trim_max_buckets int ar 16
rgw_sync_log_trim_min_cold_buckets int ar 4
rgw_sync_meta_inject_err_probability float dr 0
rgw_sync_obj_etag_verify bool ar false
rgw_sync_trace_history_size size ar 4096
rgw_sync_trace_per_node_log_size int ar 32
rgw_sync_trace_servicemap_update_interval int ar 10
rgw_thread_pool_size int br 512
rgw_torrent_comment str a-
rgw_torrent_createby str a-
rgw_torrent_encoding str a-
rgw_torrent_flag bool ar false
rgw_torrent_origin str a-
rgw_torrent_sha_unit size ar 524288
rgw_torrent_tracker str a-
rgw_trust_forwarded_https bool ar false
rgw_usage_log_flush_threshold int ar 1024
rgw_usage_log_tick_interval int ar 30
rgw_usage_max_shards int ar 32
rgw_usage_max_user_shards int ar[1,] 1
rgw_use_opa_authz bool ar false
rgw_user_default_quota_max_objects int br -1
rgw_user_default_quota_max_size int br -1
rgw_user_max_buckets int br 1000
rgw_user_quota_bucket_sync_interval int ar 180
rgw_user_quota_sync_idle_users bool ar false
rgw_user_quota_sync_interval int ar 86400
rgw_user_quota_sync_wait_time int ar 86400
rgw_user_unique_email bool br true
rgw_verify_ssl bool ar true
rgw_website_routing_rules_max_num int ar 50
rgw_zone str a-
rgw_zone_root_pool str a- .rgw.root
rgw_zonegroup str a-
rgw_zonegroup_root_pool str a- .rgw.root
rocksdb_block_size size ar 4096
rocksdb_bloom_bits_per_key uint ar 20
rocksdb_cache_index_and_filter_blocks bool dr true
rocksdb_cache_index_and_filter_blocks_with_high_priority bool dr false
rocksdb_cache_row_ratio float ar 0
rocksdb_cache_shard_bits int ar 4
rocksdb_cache_size size ar 536870912
rocksdb_cache_type str a- binned_lru
rocksdb_cf_compact_on_deletion bool dr false
rocksdb_cf_compact_on_deletion_sliding_window int dr 32768
rocksdb_cf_compact_on_deletion_trigger int dr 16384
rocksdb_collect_compaction_stats bool ar false
rocksdb_collect_extended_stats bool ar false
rocksdb_collect_memory_stats bool ar false
rocksdb_delete_range_threshold uint ar 1048576
rocksdb_index_type str d- binary_search
rocksdb_log_to_ceph_log bool ar true
rocksdb_metadata_block_size size dr 4096
rocksdb_partition_filters bool dr false
rocksdb_perf bool ar false
rocksdb_pin_l0_filter_and_index_blocks_in_cache bool dr false
rotating_keys_bootstrap_timeout int ar 30
rotating_keys_renewal_timeout int ar 10
run_dir str a- /var/run/ceph
setgroup str a-
setuser str a-
setuser_match_path str a-
target_max_misplaced_ratio float br 0.05
thp bool d- false
threadpool_default_timeout int ar 60
threadpool_empty_queue_max_wait int ar 2
throttler_perf_counter bool ar true
`;
