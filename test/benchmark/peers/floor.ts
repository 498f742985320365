// The floor: what Node needs at least to send one stream to many. `floor.ts <port in> <port out> <beat in ms>`.

import { createServer, type Socket } from 'node:net';

const [portIn, portOut, beatMs] = process.argv.slice(2).map(Number);
const HEAD = 'HTTP/1.1 200 OK\r\nContent-Type: application/octet-stream\r\nConnection: close\r\n\r\n';
const viewers = new Set<Socket>();
let waiting: Buffer[] = [];

createServer((publisher) => publisher.on('data', (bytes: Buffer) => waiting.push(bytes))).listen(
  portIn,
  '127.0.0.1',
);

createServer({ noDelay: true }, (viewer) => {
  viewer.once('data', () => {
    viewer.write(HEAD);
    viewers.add(viewer);
  });
  viewer.on('error', () => {});
  viewer.on('close', () => viewers.delete(viewer));
}).listen(portOut, '127.0.0.1', () => process.send!({ kind: 'ready' }));

setInterval(() => {
  if (waiting.length === 0) return;
  const beat = Buffer.concat(waiting);
  waiting = [];
  for (const viewer of viewers) viewer.write(beat);
}, beatMs);
