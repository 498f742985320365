// The addresses and commands that the front page offers to copy. Pure.

export type LineName =
  | 'obsServer'
  | 'obsKey'
  | 'ffmpegTest'
  | 'ffmpegFile'
  | 'page'
  | 'embed'
  | 'hls'
  | 'progressive'
  | 'ffplay'
  | 'vlc'
  | 'ffprobe'
  | 'api';

export interface Line {
  readonly text: string;
  /** Whether the text is an address that a browser opens. */
  readonly isLink: boolean;
}

/** Encodes as live video wants it: a key frame a second, nothing held back for B-frames. */
const ENCODE =
  '-c:v libx264 -preset veryfast -tune zerolatency -pix_fmt yuv420p -b:v 3000k -g 30 -c:a aac -b:a 128k';
const TEST_PICTURE =
  '-re -f lavfi -i testsrc2=size=1280x720:rate=30 -f lavfi -i sine=frequency=220:sample_rate=48000';

/** For who wants to push a stream `name` to `rtmpUrl`. */
export function pushLines(rtmpUrl: string, name: string): Partial<Record<LineName, Line>> {
  const target = `${rtmpUrl}/${name}`;
  return {
    obsServer: plain(rtmpUrl),
    obsKey: plain(name),
    ffmpegTest: plain(`ffmpeg ${TEST_PICTURE} ${ENCODE} -f flv ${target}`),
    ffmpegFile: plain(`ffmpeg -re -stream_loop -1 -i video.mp4 ${ENCODE} -f flv ${target}`),
  };
}

/** For who wants to watch the stream `name` of the usher at `origin`. */
export function watchLines(origin: string, name: string): Partial<Record<LineName, Line>> {
  const hls = `${origin}/live/${name}.m3u8`;
  const progressive = `${origin}/live/${name}.mp4`;
  return {
    page: link(`${origin}/watch/${name}`),
    embed: plain(embedCode(`${origin}/embed/${name}`, name)),
    hls: link(hls),
    progressive: link(progressive),
    ffplay: plain(`ffplay -fflags nobuffer -flags low_delay ${progressive}`),
    vlc: plain(`vlc --network-caching=300 ${hls}`),
    ffprobe: plain(`curl -sL ${progressive} | ffprobe -`),
    api: link(`${origin}/api/streams/${name}`),
  };
}

/** A stream's name has no character that would have to be escaped. */
function embedCode(url: string, name: string): string {
  const may = 'allow="autoplay; fullscreen; picture-in-picture"';
  return `<iframe src="${url}" title="${name}, live" width="640" height="360" style="border:0" ${may} loading="lazy"></iframe>`;
}

function plain(text: string): Line {
  return { text, isLink: false };
}

function link(text: string): Line {
  return { text, isLink: true };
}
