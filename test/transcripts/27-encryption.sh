# Row 27: LUKS in the client, of both versions.
printf 'open sesame' >pass
rbd create --size 64M secret1
rbd create --size 64M secret2
rbd encryption format secret1 luks1 pass
rbd encryption format secret2 luks2 pass
rbd info secret2 | grep -v -E 'block_name_prefix|id:|_timestamp'
rbd export --no-progress secret2 - | head -c 4 | od -An -c
qemu-io --object secret,id=s,file=pass -c 'write -P 0x66 0 1M' -c 'read -P 0x66 0 1M' --image-opts driver=rbd,pool=rbd,image=secret1,encrypt.format=luks,encrypt.key-secret=s
qemu-io --object secret,id=s,file=pass -c 'write -P 0x66 0 1M' -c 'read -P 0x66 0 1M' --image-opts driver=rbd,pool=rbd,image=secret2,encrypt.format=luks2,encrypt.key-secret=s
printf 'wrong' >wrong
qemu-io --object secret,id=s,file=wrong -c 'read 0 1M' --image-opts driver=rbd,pool=rbd,image=secret2,encrypt.format=luks2,encrypt.key-secret=s
rbd rm --no-progress secret1
rbd rm --no-progress secret2
