/**
 * The thread of one OSD: runs it and passes messages between it and the cluster.
 */

import { parentPort, workerData } from "node:worker_threads";
import { createLogger, type LogLevel, must, systemClock, systemRandom } from "../base/index.ts";
import { tcpTransport } from "../messenger/index.ts";
import { openAdminSocket } from "./admin-sockets.ts";
import { directoryDisk } from "./data-dir.ts";
import { runOsd } from "./osd-runner.ts";
import {
  type FromOsd,
  type OsdThreadData,
  Questions,
  sendAnswer,
  type ToOsd,
} from "./osd-thread.ts";

const port = must(parentPort, "a parent thread");
const { config, logLevel } = workerData as OsdThreadData;
const tell = (message: FromOsd) => port.postMessage(message);
const questions = new Questions();

const osd = await runOsd(
  config,
  {
    report: (report) => tell({ type: "report", report }),
    snapsPurged: (pool, snaps) => tell({ type: "purged", pool, snaps: [...snaps] }),
    ask: (peer, request) =>
      questions.ask((number) => tell({ type: "request", osd: peer, request, number })),
    corruption: (object) => tell({ type: "corruption", object }),
    fatal: (error) => tell({ type: "fatal", message: error.message }),
  },
  {
    clock: systemClock,
    random: systemRandom,
    log: createLogger({
      level: logLevel as LogLevel,
      now: () => systemClock.now(),
      sink: (level, line) => tell({ type: "log", level, line }),
    }),
    transport: tcpTransport,
    openAdminSocket,
    disk: directoryDisk,
  },
);

port.on("message", (message: ToOsd) => {
  switch (message.type) {
    case "map":
      osd.handleMap(message.incremental, message.full);
      return;
    case "request":
      sendAnswer(message.number, osd.answer(message.from, message.request), tell);
      return;
    case "answer":
      questions.answered(message);
      return;
    case "secrets":
      osd.loadSecrets(message.state);
      return;
    case "countImages":
      osd.countImages(message.isOn);
      return;
    case "config":
      osd.loadConfig(message.options);
      return;
    case "close":
      void osd.close().then(() => {
        tell({ type: "closed" });
        port.close();
      });
  }
});
tell({ type: "ready", addrs: osd.addrs });
