// The thin N-API skin. JavaScript has validated already; everything that could touch memory is checked again here, and
// a wrong argument is a TypeError, never undefined behaviour.
#include <napi.h>

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <cstring>
#include <memory>
#include <span>
#include <utility>
#include <vector>

#include "clock.h"
#include "image.h"
#include "motion.h"
#include "sandbox.h"

namespace {

using latchkey::Box;
using latchkey::Polygon;
using latchkey::Track;

Napi::Value Refuse(const Napi::Env& env, const char* why) {
  Napi::TypeError::New(env, why).ThrowAsJavaScriptException();
  return env.Undefined();
}

// A detached buffer gives a null pointer or length 0, which the size checks refuse.
template <typename Element>
bool ReadArray(const Napi::Value& value, napi_typedarray_type wanted, std::span<Element>* out) {
  if (!value.IsTypedArray()) return false;
  napi_typedarray_type type;
  size_t length = 0;
  void* start = nullptr;
  if (napi_get_typedarray_info(value.Env(), value, &type, &length, &start, nullptr, nullptr) != napi_ok) return false;
  if (type != wanted || start == nullptr) return false;
  *out = {static_cast<Element*>(start), length};
  return true;
}

// Node's Buffer is a Uint8Array too.
bool ReadBytes(const Napi::Value& value, std::span<uint8_t>* out) { return ReadArray(value, napi_uint8_array, out); }

bool ReadInt(const Napi::Value& value, int* out) {
  if (!value.IsNumber()) return false;
  const double number = value.As<Napi::Number>().DoubleValue();
  if (!(number >= -2147483648.0 && number <= 2147483647.0) || number != std::floor(number)) return false;
  *out = static_cast<int>(number);
  return true;
}

bool ReadFinite(const Napi::Value& value, double* out) {
  if (!value.IsNumber()) return false;
  *out = value.As<Napi::Number>().DoubleValue();
  return std::isfinite(*out);
}

// Points of all polygons one after another, and how many each of them has. Null, or what is wrong.
const char* ReadPolygons(const Napi::Value& points_value, const Napi::Value& counts_value,
                         std::vector<Polygon>* polygons) {
  if (!points_value.IsTypedArray() || !counts_value.IsTypedArray()) return "Polygons are two typed arrays";
  // Empty arrays have no start and stand for no polygons.
  if (counts_value.As<Napi::TypedArray>().ElementLength() == 0) return nullptr;
  std::span<double> points;
  std::span<int32_t> counts;
  if (!ReadArray(points_value, napi_float64_array, &points) || !ReadArray(counts_value, napi_int32_array, &counts)) {
    return "Polygons are a Float64Array of points and an Int32Array of counts";
  }
  size_t at = 0;
  for (const int32_t count : counts) {
    if (count < 3 || count > latchkey::MotionDetector::kMaxZonePoints ||
        static_cast<size_t>(count) * 2 > points.size() - at ||
        polygons->size() >= static_cast<size_t>(latchkey::MotionDetector::kMaxZones)) {
      return "Points and counts of polygons do not fit";
    }
    Polygon polygon;
    for (int32_t i = 0; i < count; ++i, at += 2) polygon.push_back({points[at], points[at + 1]});
    polygons->push_back(std::move(polygon));
  }
  return nullptr;
}

// new Motion(widthPx, heightPx, sensitivity, minAreaRatio, zonePoints: Float64Array, zoneCounts: Int32Array,
// privacyPoints?: Float64Array, privacyCounts?: Int32Array)
class Motion : public Napi::ObjectWrap<Motion> {
 public:
  static constexpr size_t kHeaderInts = 3;
  static constexpr size_t kTracksAt = kHeaderInts + 4 * latchkey::ComponentFinder::kMaxBoxes;
  static constexpr size_t kResultInts = kTracksAt + 2 * latchkey::ComponentFinder::kMaxBoxes;

  static Napi::Function Define(Napi::Env env) {
    return DefineClass(env, "Motion",
                       {InstanceMethod<&Motion::Detect>("detect"), InstanceMethod<&Motion::Mask>("mask"),
                        InstanceMethod<&Motion::Reset>("reset"), InstanceMethod<&Motion::Close>("close")});
  }

  explicit Motion(const Napi::CallbackInfo& info) : Napi::ObjectWrap<Motion>(info) {
    latchkey::MotionOptions options;
    if (!ReadInt(info[0], &options.width_px) || !ReadInt(info[1], &options.height_px) ||
        !ReadFinite(info[2], &options.sensitivity) || !ReadFinite(info[3], &options.min_area_ratio)) {
      Refuse(info.Env(), "Motion takes (width, height, sensitivity, minArea, points, counts, …)");
      return;
    }
    const char* wrong = ReadPolygons(info[4], info[5], &options.zones);
    if (wrong == nullptr && info.Length() > 6) wrong = ReadPolygons(info[6], info[7], &options.privacy);
    if (wrong != nullptr) {
      Refuse(info.Env(), wrong);
      return;
    }
    detector_ = latchkey::MotionDetector::Create(options);
    if (!detector_) Refuse(info.Env(), "Motion options are out of range");
  }

 private:
  // detect(yuvOrLuma, timeMs, result: Int32Array): state, foreground in millionths, box count, then x y w h each; from
  // kTracksAt on the track's number and its age in milliseconds each.
  Napi::Value Detect(const Napi::CallbackInfo& info) {
    std::span<uint8_t> bytes;
    std::span<int32_t> result;
    double time_ms = 0;
    if (!detector_) return Refuse(info.Env(), "Motion is closed");
    if (!ReadBytes(info[0], &bytes) || bytes.size() < detector_->luma_bytes()) {
      return Refuse(info.Env(), "The frame is too small");
    }
    if (!ReadFinite(info[1], &time_ms)) return Refuse(info.Env(), "The time is not a number");
    if (!ReadArray(info[2], napi_int32_array, &result) || result.size() != kResultInts) {
      return Refuse(info.Env(), "The result array does not fit");
    }
    const latchkey::MotionResult found = detector_->Detect(bytes.first(detector_->luma_bytes()), time_ms);
    result[0] = static_cast<int32_t>(found.state);
    result[1] = static_cast<int32_t>(std::lround(found.foreground_ratio * 1e6));
    result[2] = static_cast<int32_t>(found.tracks.size());
    size_t at = kHeaderInts;
    size_t track_at = kTracksAt;
    for (const Track& track : found.tracks) {
      const Box& box = track.box;
      for (const int32_t value : {box.x, box.y, box.w, box.h}) result[at++] = value;
      result[track_at++] = track.id;
      result[track_at++] = static_cast<int32_t>(std::min(2147483647.0, std::round(track.last_ms - track.first_ms)));
    }
    return info.Env().Undefined();
  }

  // mask(): a copy of the last frame's foreground, 0 or 1 a pixel, or null after a frame without one
  Napi::Value Mask(const Napi::CallbackInfo& info) {
    if (!detector_) return Refuse(info.Env(), "Motion is closed");
    const std::span<const uint8_t> mask = detector_->foreground();
    if (mask.empty()) return info.Env().Null();
    Napi::Uint8Array copy = Napi::Uint8Array::New(info.Env(), mask.size());
    std::memcpy(copy.Data(), mask.data(), mask.size());
    return copy;
  }

  Napi::Value Reset(const Napi::CallbackInfo& info) {
    if (!detector_) return Refuse(info.Env(), "Motion is closed");
    detector_->Reset();
    return info.Env().Undefined();
  }

  Napi::Value Close(const Napi::CallbackInfo& info) {
    detector_.reset();
    return info.Env().Undefined();
  }

  std::unique_ptr<latchkey::MotionDetector> detector_;
};

bool ReadPicture(const Napi::CallbackInfo& info, std::span<uint8_t>* bytes, latchkey::YuvPicture* picture,
                 latchkey::ColourMatrix* matrix) {
  int code = 0;
  if (!ReadBytes(info[0], bytes) || !ReadInt(info[1], &picture->width_px) || !ReadInt(info[2], &picture->height_px) ||
      !ReadInt(info[3], &code) || code < 0 || code > 1) {
    return false;
  }
  picture->bytes = *bytes;
  *matrix = static_cast<latchkey::ColourMatrix>(code);
  return picture->Valid();
}

// letterbox(yuv, width, height, matrix, x, y, w, h, side, out: Float32Array): tensor pixels per picture pixel
Napi::Value FillLetterbox(const Napi::CallbackInfo& info) {
  // One per thread: the addon may be loaded by workers too.
  static thread_local latchkey::Letterbox letterbox;
  std::span<uint8_t> bytes;
  latchkey::YuvPicture picture;
  latchkey::ColourMatrix matrix;
  Box crop;
  int side = 0;
  std::span<float> out;
  if (!ReadPicture(info, &bytes, &picture, &matrix)) return Refuse(info.Env(), "The picture and its size do not fit");
  if (!ReadInt(info[4], &crop.x) || !ReadInt(info[5], &crop.y) || !ReadInt(info[6], &crop.w) ||
      !ReadInt(info[7], &crop.h) || !ReadInt(info[8], &side) || !ReadArray(info[9], napi_float32_array, &out)) {
    return Refuse(info.Env(), "letterbox takes (yuv, width, height, matrix, x, y, w, h, side, out)");
  }
  const double scale = letterbox.Fill(picture, crop, side, matrix, out);
  if (scale == 0) return Refuse(info.Env(), "The crop or the tensor does not fit");
  return Napi::Number::New(info.Env(), scale);
}

// yuvToRgb(yuv, width, height, matrix, out: Uint8Array)
Napi::Value ConvertToRgb(const Napi::CallbackInfo& info) {
  std::span<uint8_t> bytes;
  std::span<uint8_t> out;
  latchkey::YuvPicture picture;
  latchkey::ColourMatrix matrix;
  if (!ReadPicture(info, &bytes, &picture, &matrix)) return Refuse(info.Env(), "The picture and its size do not fit");
  if (!ReadBytes(info[4], &out) || !latchkey::YuvToRgb(picture, matrix, out)) {
    return Refuse(info.Env(), "The output does not fit");
  }
  return info.Env().Undefined();
}

Napi::Value Status(const Napi::CallbackInfo& info, int code) { return Napi::Number::New(info.Env(), code); }

// denyNetwork(), setNotDumpable(), setParentDeathSignal(parentPid): 0 or an errno value
Napi::Value DenyNetwork(const Napi::CallbackInfo& info) { return Status(info, latchkey::DenyNetwork()); }
Napi::Value SetNotDumpable(const Napi::CallbackInfo& info) { return Status(info, latchkey::SetNotDumpable()); }
Napi::Value SetParentDeathSignal(const Napi::CallbackInfo& info) {
  int parent = 0;
  if (!ReadInt(info[0], &parent)) return Refuse(info.Env(), "setParentDeathSignal takes the parent's process id");
  return Status(info, latchkey::DieWithParent(parent));
}

// clockSynchronised(): boolean
Napi::Value ClockSynchronised(const Napi::CallbackInfo& info) {
  return Napi::Boolean::New(info.Env(), latchkey::ClockSynchronised());
}

// peerUid(fd): the user id, or a negative errno value
Napi::Value PeerUid(const Napi::CallbackInfo& info) {
  int fd = -1;
  uid_t uid = 0;
  if (!ReadInt(info[0], &fd) || fd < 0) return Refuse(info.Env(), "peerUid takes a file descriptor");
  const int failed = latchkey::PeerUid(fd, &uid);
  return Napi::Number::New(info.Env(), failed != 0 ? -failed : static_cast<double>(uid));
}

Napi::Object Initialise(Napi::Env env, Napi::Object exports) {
  exports.Set("Motion", Motion::Define(env));
  exports.Set("motionResultLength", Napi::Number::New(env, static_cast<double>(Motion::kResultInts)));
  exports.Set("letterbox", Napi::Function::New<FillLetterbox>(env, "letterbox"));
  exports.Set("yuvToRgb", Napi::Function::New<ConvertToRgb>(env, "yuvToRgb"));
  exports.Set("denyNetwork", Napi::Function::New<DenyNetwork>(env, "denyNetwork"));
  exports.Set("setNotDumpable", Napi::Function::New<SetNotDumpable>(env, "setNotDumpable"));
  exports.Set("setParentDeathSignal", Napi::Function::New<SetParentDeathSignal>(env, "setParentDeathSignal"));
  exports.Set("clockSynchronised", Napi::Function::New<ClockSynchronised>(env, "clockSynchronised"));
  exports.Set("peerUid", Napi::Function::New<PeerUid>(env, "peerUid"));
  return exports;
}

}  // namespace

NODE_API_MODULE(latchkey, Initialise)
