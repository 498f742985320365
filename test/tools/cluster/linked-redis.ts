// A Redis of the test's own, and this process's link to it.

import { systemClock } from '../../../network/clock.ts';
import { RedisLink } from '../../../network/state/redis/redis.ts';
import { keepingLogger } from '../world/keeping-logger.ts';
import { RedisServer } from './redis-server.ts';

export class LinkedRedis implements AsyncDisposable {
  readonly link: RedisLink;
  readonly #server: RedisServer;

  private constructor(server: RedisServer) {
    this.#server = server;
    const tools = { clock: systemClock, logger: keepingLogger() };
    this.link = new RedisLink({ ...tools, address: server.address(), scripts: {} });
  }

  static async start(): Promise<LinkedRedis> {
    return new LinkedRedis(await RedisServer.start());
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.link[Symbol.asyncDispose]();
    await this.#server[Symbol.asyncDispose]();
  }
}
