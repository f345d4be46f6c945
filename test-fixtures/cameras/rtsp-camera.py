#!/usr/bin/python3
"""A test camera: serves one video file in an endless loop over RTSP, copied, never re-encoded.

    rtsp-camera.py --file FILE [--codec h264|h265] [--sound aac|pcmu] [--port N] [--user NAME --password WORD]

Prints `port N` on standard output once it listens on 127.0.0.1. With a user it asks for digest authentication. The path
is /stream. The sound is a tone. It needs GStreamer's RTSP server (Debian: gir1.2-gst-rtsp-server-1.0, python3-gi, plugins base, good, bad).
"""
import argparse
import ctypes
import signal

import gi

gi.require_version("Gst", "1.0")
gi.require_version("GstApp", "1.0")
gi.require_version("GstRtsp", "1.0")
gi.require_version("GstRtspServer", "1.0")
from gi.repository import GLib, Gst, GstApp, GstRtsp, GstRtspServer  # noqa: E402


def read_access_units(path, codec):
    """The file's pictures in decoding order: (bytes, is keyframe, time from the previous one to this one in ns)."""
    pipeline = Gst.parse_launch(
        f"filesrc name=source ! qtdemux ! {codec}parse config-interval=-1 "
        f"! video/x-{codec},stream-format=byte-stream,alignment=au ! appsink name=sink sync=false"
    )
    pipeline.get_by_name("source").set_property("location", path)
    sink = pipeline.get_by_name("sink")
    pipeline.set_state(Gst.State.PLAYING)
    units = []
    while True:
        sample = sink.pull_sample()
        if sample is None:
            break
        buffer = sample.get_buffer()
        keyframe = not buffer.has_flags(Gst.BufferFlags.DELTA_UNIT)
        units.append((buffer.extract_dup(0, buffer.get_size()), keyframe, buffer.pts, buffer.dts, buffer.duration))
    caps = sink.get_static_pad("sink").get_current_caps()
    pipeline.set_state(Gst.State.NULL)
    if not units:
        raise SystemExit("the file holds no picture of that codec")
    return units, caps


SOUNDS = {
    "aac": "voaacenc bitrate=32000 ! aacparse ! rtpmp4gpay name=pay1 pt=97",
    "pcmu": "audioconvert ! audioresample ! audio/x-raw,rate=8000,channels=1 ! mulawenc ! rtppcmupay name=pay1 pt=0",
}


class LoopFactory(GstRtspServer.RTSPMediaFactory):
    """One shared pipeline: every client sees the same endless stream, as with a real camera."""

    def __init__(self, units, caps, codec, sound):
        super().__init__()
        self.units, self.caps, self.codec, self.sound = units, caps, codec, sound
        self.length = max(unit[2] + unit[4] for unit in units) - min(unit[2] for unit in units)
        self.set_shared(True)

    def do_create_element(self, _url):
        # The sink behind the payloader keeps the pace, so appsrc may be filled as fast as it asks.
        tone = "audiotestsrc is-live=true freq=440 ! audio/x-raw,rate=16000,channels=1 ! "
        sound = "" if self.sound is None else tone + SOUNDS[self.sound]
        return Gst.parse_launch(
            f"( appsrc name=source is-live=true format=time max-bytes=200000 ! {self.codec}parse "
            f"! rtp{self.codec[0]}{self.codec[1:]}pay config-interval=-1 name=pay0 pt=96 {sound} )"
        )

    def do_configure(self, media):
        state = {"index": 0, "base": 0}

        def feed(source, _length):
            data, keyframe, pts, dts, duration = self.units[state["index"]]
            buffer = Gst.Buffer.new_wrapped(data)
            buffer.pts = state["base"] + pts
            buffer.dts = state["base"] + (dts if dts != Gst.CLOCK_TIME_NONE else pts)
            buffer.duration = duration
            if not keyframe:
                buffer.set_flags(Gst.BufferFlags.DELTA_UNIT)
            state["index"] += 1
            if state["index"] == len(self.units):
                state["index"] = 0
                state["base"] += self.length
            source.emit("push-buffer", buffer)

        source = media.get_element().get_by_name_recurse_up("source")
        source.set_property("caps", self.caps)
        source.connect("need-data", feed)


def require_digest(server, factory, user, password):
    auth = GstRtspServer.RTSPAuth()
    auth.set_supported_methods(GstRtsp.RTSPAuthMethod.DIGEST)
    token = GstRtspServer.RTSPToken()
    token.set_string(GstRtspServer.RTSP_TOKEN_MEDIA_FACTORY_ROLE, "viewer")
    auth.add_digest(user, password, token)
    server.set_auth(auth)
    permissions = GstRtspServer.RTSPPermissions()
    permissions.add_role("viewer")
    permissions.add_permission_for_role("viewer", GstRtspServer.RTSP_PERM_MEDIA_FACTORY_ACCESS, True)
    permissions.add_permission_for_role("viewer", GstRtspServer.RTSP_PERM_MEDIA_FACTORY_CONSTRUCT, True)
    factory.set_permissions(permissions)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--file", required=True)
    parser.add_argument("--codec", choices=["h264", "h265"], default="h264")
    parser.add_argument("--sound", choices=sorted(SOUNDS))
    parser.add_argument("--port", type=int, default=0)
    parser.add_argument("--user")
    parser.add_argument("--password")
    options = parser.parse_args()

    # A test that is killed must not leave its camera behind (prctl, PR_SET_PDEATHSIG).
    ctypes.CDLL(None).prctl(1, signal.SIGKILL)
    Gst.init(None)
    units, caps = read_access_units(options.file, options.codec)
    server = GstRtspServer.RTSPServer()
    server.set_address("127.0.0.1")
    server.set_service(str(options.port))
    factory = LoopFactory(units, caps, options.codec, options.sound)
    if options.user is not None:
        require_digest(server, factory, options.user, options.password or "")
    server.get_mount_points().add_factory("/stream", factory)
    if server.attach(None) == 0:
        raise SystemExit("cannot listen on that port")
    print(f"port {server.get_bound_port()}", flush=True)
    GLib.MainLoop().run()


if __name__ == "__main__":
    main()
