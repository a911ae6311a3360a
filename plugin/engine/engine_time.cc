#include "plugin/engine/engine_time.h"

namespace plumb {

namespace {

thread_local Clock::duration engine_time{0};

}  // namespace

Clock::duration EngineTime::of_this_thread() { return engine_time; }

EngineTime::Span::~Span() { engine_time += Clock::now() - begin; }

}  // namespace plumb
