// What the command line may say of the configuration.

import type { Options } from '../command/command.ts';

export const CONFIG_OPTIONS = {
  config: { value: '<file>', help: 'read this YAML file first' },
  rtmpPort: { value: '<port>', help: 'where broadcasters push (1935)' },
  usherPort: { value: '<port>', help: 'pages, playlists and API (8080)' },
  mediaPort: { value: '<port>', help: 'media for players (8081)' },
  mediaUrl: { value: '<url>', help: 'how players reach the media port from outside' },
  bind: { value: '<address>', help: 'address to listen on (127.0.0.1)' },
  data: { value: '<folder>', help: 'what is kept on disk (./data)' },
  sample: { isOn: true, help: 'do not push the sample broadcast' },
  beatMs: { value: '<ms>', help: 'write to progressive viewers this often' },
  log: { value: '<level>', help: 'debug, info, warn, error or silent (info)' },
} as const satisfies Options;

export type Flags = { readonly [Name in keyof typeof CONFIG_OPTIONS]?: string | boolean | undefined };
