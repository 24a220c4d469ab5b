# Row 23: the trash.
rbd create --size 4M waste
rbd create --size 4M rubbish
rbd trash mv waste
#@ blank ^([0-9a-f]{8,})
rbd trash ls
rbd trash ls -l --format json | grep -o '"name":"[^"]*","source":"[^"]*"'
rbd ls | grep waste
rbd trash restore "$(rbd trash ls | grep waste | cut -d' ' -f1)"
rbd ls | grep waste
rbd trash mv --expires-at '2030-01-01' waste
rbd trash mv rubbish
#@ blank ^([0-9a-f]{8,})
rbd trash ls --all
rbd trash rm --no-progress "$(rbd trash ls | grep waste | cut -d' ' -f1)"
rbd trash rm --no-progress --force "$(rbd trash ls | grep waste | cut -d' ' -f1)"
rbd create --size 4M rubbish
rbd trash restore "$(rbd trash ls | grep rubbish | cut -d' ' -f1)"
rbd trash restore --image found "$(rbd trash ls | grep rubbish | cut -d' ' -f1)"
rbd ls | grep -E 'found|rubbish'
rbd trash mv found
rbd trash purge --no-progress
rbd trash ls
rbd trash restore 1234abcd
rbd trash rm --no-progress 1234abcd
rbd trash mv nosuch
rbd rm --no-progress rubbish
