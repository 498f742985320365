// node-media-server as a process of its own, to be compared with: `compared.ts <RTMP port> <HTTP port>`.

import NodeMediaServer from 'node-media-server';

const [rtmpPort, httpPort] = process.argv.slice(2).map(Number);
const server = new NodeMediaServer({
  bind: '127.0.0.1',
  rtmp: { port: rtmpPort! },
  http: { port: httpPort! },
  store: { path: './data' },
});
server.run();
process.send!({ kind: 'ready' });
