#include "clock.h"

#include <sys/timex.h>

namespace latchkey {

bool ClockSynchronised() {
  timex state{};
  const int answer = adjtimex(&state);
  return answer >= 0 && answer != TIME_ERROR && (state.status & STA_UNSYNC) == 0;
}

}  // namespace latchkey
