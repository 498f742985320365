// The thread that reads route tables: see `routes.ts`.

import { answer } from '../../process/thread.ts';
import { type RoutesRead, readRouteFiles } from './route-reader.ts';

answer<readonly string[], RoutesRead>((files) => {
  const output = readRouteFiles(files);
  const columns = [output.ipv4, output.ipv6].flatMap(({ starts, asns }) => [starts.buffer, asns.buffer]);
  return { output, moved: columns };
});
