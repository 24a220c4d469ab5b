#!/usr/bin/env node
// Records test/transcripts/*.txt on a real one-OSD Ceph: node scripts/record-transcripts.mjs [NAME...]
//
// Needs Debian's ceph-mon, ceph-mgr, ceph-osd besides the clients. With names, only those are written.
import process from "node:process";
import { loadTs, ROOT } from "./load-ts.mjs";

process.chdir(ROOT);
const { recordTranscripts } = await loadTs("test/harness/record.ts");
await recordTranscripts(process.argv.slice(2), (line) => console.log(line));
