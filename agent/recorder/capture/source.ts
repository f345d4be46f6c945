/** The places that video can come from. The configuration declares the same shapes; nothing here is parsed again. */

export interface FileSource {
  readonly kind: 'file';
  readonly path: string;
  /** `fast`: as fast as the frames are taken; nothing is skipped, because there is no present to keep up with. */
  readonly pace: 'realtime' | 'fast';
  /** Starts again at the end; each pass is a run. */
  readonly loop: boolean;
}

export interface RtspSource {
  readonly kind: 'rtsp';
  /** `rtsp://host[:port]/path` without user information: that stands in `username` and `password`. */
  readonly url: string;
  readonly transport: 'tcp' | 'udp';
  readonly username?: string | undefined;
  readonly password?: string | undefined;
}

export interface V4l2Source {
  readonly kind: 'v4l2';
  readonly device: string;
  readonly widthPx: number;
  readonly heightPx: number;
  readonly fps: number;
  /** What the camera is asked for, as ffmpeg names it (`mjpeg`, `yuyv422`); `h264` is copied, all else is encoded. */
  readonly inputFormat?: string | undefined;
  readonly encoder?: 'libx264' | 'h264_v4l2m2m' | undefined;
}

export interface RpicamSource {
  readonly kind: 'rpicam';
  readonly widthPx: number;
  readonly heightPx: number;
  readonly fps: number;
  readonly bitrateBps: number;
  /** Default `rpicam-vid`. */
  readonly program?: string | undefined;
}

export type SourceConfig = FileSource | RtspSource | V4l2Source | RpicamSource;

/** A live source never ends by itself: its end is a failure, whatever its exit status. */
export function isLive(source: SourceConfig): boolean {
  return source.kind !== 'file';
}

export interface DetectConfig {
  readonly fps: number;
  /** Even, because the frames are YUV 4:2:0. */
  readonly widthPx: number;
  readonly heightPx: number;
}
