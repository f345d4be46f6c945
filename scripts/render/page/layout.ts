/** Pictures in the layouts that leave the page: RGB for pictures, YUV 4:2:0 for encoders, which is half as much to carry. */
export type Layout = 'rgb' | 'yuv420';

export function layOut(rgba: Uint8Array, widthPx: number, heightPx: number, layout: Layout): Uint8Array {
  return layout === 'rgb' ? toRgb(rgba) : toYuv420(rgba, widthPx, heightPx);
}

function toRgb(rgba: Uint8Array): Uint8Array {
  const rgb = new Uint8Array((rgba.length / 4) * 3);
  for (let i = 0, o = 0; i < rgba.length; i += 4, o += 3) {
    rgb[o] = rgba[i] ?? 0;
    rgb[o + 1] = rgba[i + 1] ?? 0;
    rgb[o + 2] = rgba[i + 2] ?? 0;
  }
  return rgb;
}

/** BT.601 in the limited range (16 to 235), chroma averaged over two by two pixels; both sizes must be even. */
function toYuv420(rgba: Uint8Array, widthPx: number, heightPx: number): Uint8Array {
  const total = widthPx * heightPx;
  const yuv = new Uint8Array((total * 3) / 2);
  let chroma = total;
  for (let y = 0; y < heightPx; y += 2) {
    for (let x = 0; x < widthPx; x += 2) {
      let [red, green, blue] = [0, 0, 0];
      for (let k = 0; k < 4; k++) {
        const p = (y + (k >> 1)) * widthPx + x + (k & 1);
        const r = rgba[4 * p] ?? 0;
        const g = rgba[4 * p + 1] ?? 0;
        const b = rgba[4 * p + 2] ?? 0;
        yuv[p] = (66 * r + 129 * g + 25 * b + 4224) >> 8;
        red += r;
        green += g;
        blue += b;
      }
      yuv[chroma] = (-38 * red - 74 * green + 112 * blue + 131_584) >> 10;
      yuv[chroma + total / 4] = (112 * red - 94 * green - 18 * blue + 131_584) >> 10;
      chroma++;
    }
  }
  return yuv;
}
