// Types for what the comparison uses of node-media-server; the package has none.

declare module 'node-media-server' {
  export default class NodeMediaServer {
    constructor(config: object);
    run(): void;
  }
}
