# Row 21: clones of both formats, of snapshots of clones, with a limit of snapshots, flattened and deep-flattened.
rbd create --size 16M parent
qemu-io -f raw -c 'write -P 0x51 0 8M' rbd:rbd/parent
rbd snap create --no-progress parent@one
rbd snap create --no-progress parent@two
rbd snap protect parent@one
rbd clone --rbd-default-clone-format 1 parent@one child1
rbd clone --rbd-default-clone-format 2 parent@two child2
rbd clone --rbd-default-clone-format 1 parent@two child3
rbd info child1
#@ blank op_features: (.*)$
rbd info child2
rbd children parent@one
rbd children parent@two
rbd children --all parent
qemu-io -f raw -c 'read -P 0x51 0 8M' -c 'write -P 0x52 1M 64k' -c 'read -P 0x52 1M 64k' -c 'read -P 0 8M 8M' rbd:rbd/child2
rbd snap create --no-progress child2@inner
qemu-io -f raw -c 'write -P 0x53 5M 64k' rbd:rbd/child2
rbd clone --rbd-default-clone-format 2 child2@inner grandchild
qemu-io -f raw -c 'read -P 0x51 0 1M' -c 'read -P 0x52 1M 64k' -c 'read -P 0x51 5M 64k' rbd:rbd/grandchild
rbd snap rm --no-progress parent@two
#@ columns
#@ blank ^(\d+)
rbd snap ls parent
#@ columns
#@ blank ^(\d+)
rbd snap ls --all parent
rbd rm --no-progress parent
rbd flatten --no-progress grandchild
rbd flatten --no-progress child2
rbd info child2@inner
#@ columns
#@ blank ^(\d+)
rbd snap ls --all parent
qemu-io -f raw -c 'read -P 0x52 1M 64k' -c 'read -P 0x51 2M 2M' -c 'read -P 0x53 5M 64k' rbd:rbd/child2
rbd export --no-progress child2@inner - | cksum
rbd snap limit set --limit 3 child2
rbd snap create --no-progress child2@s2
rbd snap create --no-progress child2@s3
rbd snap create --no-progress child2@s4
rbd snap limit clear child2
rbd snap create --no-progress child2@s4
rbd snap rollback --no-progress child2@inner
qemu-io -f raw -c 'read -P 0x52 1M 64k' -c 'read -P 0x51 5M 64k' rbd:rbd/child2
rbd snap purge --no-progress child2
rbd snap unprotect parent@one
rbd flatten --no-progress child1
rbd snap unprotect parent@one
rbd snap purge --no-progress parent
rbd rm --no-progress grandchild
rbd rm --no-progress child2
rbd rm --no-progress child1
rbd rm --no-progress parent
