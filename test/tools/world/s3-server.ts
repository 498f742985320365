// An S3-compatible server for tests, with one bucket in a folder.

import S3rver from 's3rver';
import type { S3Address } from '../../../network/archive/storage-s3.ts';

export class S3Server {
  readonly #server: S3rver;
  readonly #port: number;

  private constructor(server: S3rver, port: number) {
    this.#server = server;
    this.#port = port;
  }

  static async start(directory: string, port = 0): Promise<S3Server> {
    const configureBuckets = [{ name: 'recordings', configs: [] }];
    const server = new S3rver({ address: '127.0.0.1', port, silent: true, directory, configureBuckets });
    const bound = await server.run();
    return new S3Server(server, bound.port);
  }

  get port(): number {
    return this.#port;
  }

  get address(): S3Address {
    return {
      endpoint: `http://127.0.0.1:${this.#port}/recordings`,
      region: 'us-east-1',
      accessKeyId: 'S3RVER',
      secretAccessKey: 'S3RVER',
    };
  }

  close(): Promise<void> {
    return this.#server.close();
  }
}
