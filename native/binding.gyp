{
  "targets": [
    {
      "target_name": "latchkey",
      "sources": [
        "addon.cc", "clock.cc", "components.cc", "ghost.cc", "image.cc", "light.cc", "moments.cc", "motion.cc",
        "pixel-avx2.cc", "pixel-neon.cc", "pixel-scalar.cc", "pixel-sse2.cc", "pixel-step.cc", "sandbox.cc", "shade.cc",
        "tracks.cc", "zones.cc"
      ],
      "include_dirs": ["<!(node -p \"require('node-addon-api').include_dir\")"],
      "defines": ["NAPI_VERSION=8", "NODE_ADDON_API_DISABLE_CPP_EXCEPTIONS", "NODE_ADDON_API_DISABLE_DEPRECATED"],
      "cflags": ["-Wall", "-Wextra", "-Werror", "-fvisibility=hidden"],
      "cflags_cc!": ["-std=gnu++17", "-std=gnu++20", "-fexceptions", "-O2"],
      "cflags_cc": ["-std=c++20", "-O3", "-fno-exceptions", "-fno-rtti"]
    }
  ]
}
