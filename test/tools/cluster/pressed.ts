// Loaded into servers under test: from a signal on, the event loop of one is busy as if with a crowd, and takes no CPU for that.

const PERIOD_MS = 100;
const BUSY_MS = 85;
const never = new Int32Array(new SharedArrayBuffer(4));

process.on('SIGUSR2', () => setInterval(() => Atomics.wait(never, 0, 0, BUSY_MS), PERIOD_MS));
