// Small pictures for a seek bar, as a WebVTT file with places in sprites tells of them.

/** A part of a picture, in pixels, and from when on it shows what is played, in seconds. */
export interface Preview {
  readonly fromS: number;
  readonly url: string;
  readonly x: number;
  readonly y: number;
  readonly width: number;
  readonly height: number;
}

const TIME = /^(\d+):(\d\d):(\d\d\.\d{3}) --> /;
const PLACE = /^(.+)#xywh=(\d+),(\d+),(\d+),(\d+)$/;

/** In order of time. `url` is where the file came from; cues that make no sense are left out. */
export function readPreviews(text: string, url: string): Preview[] {
  return text.split('\n\n').flatMap((cue) => {
    const [time = '', place = ''] = cue.trim().split('\n');
    const [, hours, minutes, seconds] = TIME.exec(time) ?? [];
    const [, picture, x, y, width, height] = PLACE.exec(place) ?? [];
    if (picture === undefined || hours === undefined) return [];
    const fromS = Number(hours) * 3600 + Number(minutes) * 60 + Number(seconds);
    const [left, top, wide, high] = [x, y, width, height].map(Number) as [number, number, number, number];
    return [{ fromS, url: new URL(picture, url).href, x: left, y: top, width: wide, height: high }];
  });
}

export function previewAt(previews: readonly Preview[], atS: number): Preview | undefined {
  return previews.findLast(({ fromS }) => fromS <= atS) ?? previews[0];
}
