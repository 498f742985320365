import { createServer } from 'node:net';
import { afterEach, describe, expect, test } from 'vitest';
import { type Call, type Closing, dial, probe, sendOrder } from '../../../network/http/dial.ts';
import { beginSpan, within } from '../../../network/trace/current-trace.ts';
import { FakeParent } from '../../tools/cluster/fake-parent.ts';
import { until } from '../../tools/cluster/relay.ts';

const opened: AsyncDisposable[] = [];

afterEach(async () => {
  for (const one of opened.splice(0).reverse()) await one[Symbol.asyncDispose]();
});

interface Dialled {
  readonly call: Call;
  readonly heard: string[];
  readonly closings: Closing[];
}

describe('a probe', () => {
  test.each([
    ['answers', 200, 'answers'],
    ['does not know the path', 404, 'answers'],
    ['has nobody behind it', 502, 'silent'],
    ['says nothing', undefined, 'silent'],
  ])('of a server that %s', async (_, status, heard) => {
    const server = await FakeParent.start('x', (response) => status && response.writeHead(status).end('.'));
    opened.push(server);
    expect(await probe(`${server.parent.relayUrl}/healthz`, 200)).toBe(heard);
  });

  test('of a port at which nobody listens is refused', async () => {
    const server = await FakeParent.start('x', () => {});
    const { relayUrl } = server.parent;
    await server[Symbol.asyncDispose]();
    expect(await probe(relayUrl, 1_000)).toBe('refused');
  });
});

describe('a dialled answer', () => {
  test('is handed out as it comes, for as long as it goes on', async () => {
    let goOn = (): void => {};
    const { heard, closings } = await dialTo((write) => {
      write('one');
      goOn = () => write('two');
    });
    await until('the first is there', () => heard.join() === 'one');
    goOn();
    await until('the second is there', () => heard.join() === 'one,two');
    expect(closings).toEqual([]);
  });

  test('carries the headers that were given', async () => {
    const { heard } = await dialTo((write, _, authorization) => write(authorization));
    await until('it was heard', () => heard.join() === 'Bearer x');
  });

  test('belongs to the trace of the request that it is asked for', async () => {
    const span = beginSpan({ traceparent: '00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01' })!;
    const parent = await FakeParent.start('p', (response, request) => {
      response.end(request.headers['traceparent']);
    });
    opened.push(parent);
    const { heard } = within(span, () => dialAt(parent.parent.relayUrl));
    await until('it was heard', () => heard.join() === `00-${span.context.traceId}-${span.spanId}-01`);
    const order = { method: 'POST', url: parent.parent.relayUrl } as const;
    expect((await within(span, () => sendOrder(order, 1_000))).text).toBe(heard[0]);
    expect((await sendOrder(order, 1_000)).text).toBe('');
  });

  test('that ends is closed once', async () => {
    const { heard, closings } = await dialTo((write, end) => {
      write('all');
      end();
    });
    await until('it is closed', () => closings.length > 0);
    expect([heard, closings]).toEqual([['all'], [{ kind: 'ended' }]]);
  });

  test('that is aborted says nothing more, and its connection closes', async () => {
    let isOpen = true;
    const { call, heard, closings } = await dialTo((write, _, __, onClose) => {
      const timer = setInterval(() => write('x'), 5);
      onClose(() => {
        clearInterval(timer);
        isOpen = false;
      });
    });
    await until('something was heard', () => heard.length > 0);
    call.abort();
    const { length } = heard;
    await until('the connection is closed', () => !isOpen);
    expect([heard.length, closings]).toEqual([length, []]);
  });

  test('of another status gives its text, which is bounded', async () => {
    const parent = await FakeParent.start('p', (response) =>
      response.writeHead(410).end('g'.repeat(200_000)),
    );
    opened.push(parent);
    const { heard, closings } = dialAt(parent.parent.relayUrl);
    await until('it is closed', () => closings.length > 0);
    const [closing] = closings;
    expect(heard).toEqual([]);
    expect(closing).toMatchObject({ kind: 'refused', answer: { status: 410 } });
    expect(closing?.kind === 'refused' && closing.answer.text.length).toBe(64 * 1024);
  });

  test('of nobody fails', async () => {
    const { closings } = dialAt('http://127.0.0.1:9');
    await until('it is closed', () => closings.length > 0);
    expect(closings).toMatchObject([{ kind: 'failed', error: { code: 'ECONNREFUSED' } }]);
  });

  test('that breaks in the middle is closed: whether it was whole can not be seen of an answer without a length', async () => {
    const server = createServer((socket) => {
      socket.on('error', () => {});
      socket.once('data', () => {
        socket.write('HTTP/1.1 200 OK\r\nConnection: close\r\n\r\nhalf');
        setTimeout(() => socket.resetAndDestroy(), 20);
      });
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    opened.push({ [Symbol.asyncDispose]: () => new Promise((resolve) => server.close(() => resolve())) });
    const { heard, closings } = dialAt(`http://127.0.0.1:${(server.address() as { port: number }).port}`);
    await until('it is closed', () => closings.length > 0);
    expect([heard, closings]).toEqual([['half'], [{ kind: 'ended' }]]);
  });
});

function dialAt(url: string): Dialled {
  const heard: string[] = [];
  const closings: Closing[] = [];
  const call = dial(
    `${url}/path?query=1`,
    { authorization: 'Bearer x' },
    {
      onBytes: (bytes) => heard.push(Buffer.from(bytes).toString()),
      onClose: (closing) => closings.push(closing),
    },
  );
  return { call, heard, closings };
}

type Serve = (
  write: (text: string) => void,
  end: () => void,
  authorization: string,
  onClose: (run: () => void) => void,
) => void;

async function dialTo(serve: Serve): Promise<Dialled> {
  const parent = await FakeParent.start('p', (response, request) => {
    const onClose = (run: () => void): void => void response.once('close', run);
    serve(
      (text) => response.write(text),
      () => response.end(),
      request.headers.authorization ?? '',
      onClose,
    );
  });
  opened.push(parent);
  return dialAt(parent.parent.relayUrl);
}
