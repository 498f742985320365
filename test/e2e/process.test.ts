import { createServer } from 'node:net';
import { describe, expect, test } from 'vitest';
import { ServerProcess } from '../tools/cluster/server-process.ts';
import { run, source } from '../tools/rtmp/rtmp-ffmpeg.ts';
import { lastingFile, lastingFolder } from '../tools/world/scratch-folder.ts';

describe('the process', () => {
  test('plays its sample broadcast from the start, and exits with 0 on SIGTERM while somebody publishes and somebody watches', async () => {
    await using server = await ServerProcess.start([]);
    await server.logged((line) => line.msg === 'on air' && line['stream'] === 'sample');
    const answer = await fetch(`${server.url}/live/sample.mp4`);
    const sample = answer.body!.getReader();
    expect(Buffer.from((await sample.read()).value!).toString('latin1', 4, 8)).toBe('ftyp');
    await sample.cancel();
    expect(await (await fetch(`${server.url}/readyz`)).json()).toEqual({ ready: true, conditions: [] });
    const push = run('ffmpeg', ['-v', 'error', ...source(), `${server.rtmpUrl}/alice`]);
    await server.logged((line) => line.msg === 'on air' && line['stream'] === 'alice');
    const watching = (await fetch(`${server.url}/live/alice.mp4`)).body!.getReader();
    expect((await watching.read()).done).toBe(false);
    expect(await (await fetch(`${server.url}/live/alice.m3u8`)).text()).toContain('#EXTM3U');
    expect(await server.end('SIGTERM')).toBe(0);
    // Everything that there was, and then an end in order: a connection that breaks would throw.
    for (let piece = await watching.read(); !piece.done; ) piece = await watching.read();
    await push.exit;
    expect(server.lines.at(-1)?.msg).toBe('stopped');
  });

  test('--help says what may be said', async () => {
    const { code, output } = await ServerProcess.run(['--help']);
    expect(code).toBe(0);
    for (const words of ['explain', 'keys', 'Exit codes']) expect(output).toContain(words);
  });

  test.each([
    [['--rtmp-port', 'x'], 'rtmpPort'],
    [['keys', 'make', 'watch', 'alice'], "'watch'"],
  ])('refuses %j with exit code 2 and names what is wrong', async (args, words) => {
    expect(await ServerProcess.run(args)).toMatchObject({ code: 2, output: expect.stringContaining(words) });
  });

  test('does not start with a configuration that it does not understand, and says where that is', async () => {
    const file = lastingFile('server.yaml', 'site: ams\negressMpbs: 9000\n');
    const { code, output } = await ServerProcess.run(['server', '--config', file]);
    expect(code).toBe(2);
    expect(output).toMatch(/server\.yaml.*egressMpbs/);
    expect(output).not.toMatch(/^\s+at /m);
  });

  test('names the port that is taken', async () => {
    const taken = createServer().listen(0, '127.0.0.1');
    await new Promise((resolve) => taken.once('listening', resolve));
    const { port } = taken.address() as { port: number };
    const args = [
      '--rtmp-port',
      '0',
      '--usher-port',
      String(port),
      '--media-port',
      '0',
      '--no-sample',
      '--log',
      'silent',
    ];
    const { code, output } = await ServerProcess.run([...args, '--data', lastingFolder()]);
    expect(code).toBe(1);
    expect(output).toContain(String(port));
    taken.close();
  });
});
