#include "docker_client/events.h"

#include <deque>

#include "docker_client/json.h"
#include "docker_client/json_stream.h"
#include "docker_client/query.h"

namespace plumb::docker {

namespace {
constexpr std::size_t kEventLimit = std::size_t{1} << 20U;
}  // namespace

struct EventStream::State {
  explicit State(std::string where) : place(std::move(where)), splitter(kEventLimit, place) {}

  std::string place;
  JsonSplitter splitter;
  std::deque<Event> ready;
  std::optional<Exchange> exchange;

  Result<void> take(std::string_view bytes) {
    return splitter.feed(bytes, [this](std::string_view object) -> Result<void> {
      ready.push_back(TRY(answered(decode_event(object), place)));
      return {};
    });
  }
};

EventStream::EventStream(std::unique_ptr<State> state) : state_(std::move(state)) {}
EventStream::EventStream(EventStream&&) noexcept = default;
EventStream& EventStream::operator=(EventStream&&) noexcept = default;
EventStream::~EventStream() = default;

Result<EventStream> EventStream::open(Client& client, const EventFilter& filter, const Call& call) {
  Query query("/events");
  if (filter.since != 0) query.add("since", std::to_string(filter.since));
  const bool badly = client.manners().filters_events_badly;
  const auto actions = badly ? std::vector<std::string>{} : filter.actions;
  auto labels = filter.labels;
  if (badly) std::erase_if(labels, [](const std::string& label) { return label.find('=') == std::string::npos; });
  if (!filter.types.empty() || !labels.empty() || !actions.empty()) {
    query.add("filters", encode_filters({{"type", filter.types}, {"label", labels}, {"event", actions}}));
  }
  auto state = std::make_unique<State>(client.place("listen to events"));
  const Sink sink = [target = state.get()](std::string_view bytes) { return target->take(bytes); };
  state->exchange = TRY(client.begin({.path = std::move(query).str(), .what = "listen to events"}, sink, call));
  return EventStream(std::move(state));
}

Result<Event> EventStream::next(const Call& call) {
  if (state_->ready.empty()) {
    const bool ended = TRY(state_->exchange->feed([this] { return !state_->ready.empty(); }, call));
    if (ended && state_->ready.empty()) {
      return Err{ErrorKind::unreachable, state_->exchange->place() + ": the engine ended the stream",
                 "The engine stops or restarts: see its log."};
    }
  }
  Event event = std::move(state_->ready.front());
  state_->ready.pop_front();
  return event;
}

Result<Event> decode_event(std::string_view text) {
  const Json json = TRY(parse_object(text, "read an event"));
  const Json& actor = member(json, "Actor");
  Event event;
  event.type = text_of(json, "Type");
  event.action = text_of(json, "Action");
  event.id = text_of(actor, "ID");
  event.attributes = pairs_of(actor, "Attributes");
  event.time_ns = number_of(json, "timeNano");
  // An engine that fails when its 200 is sent already writes its error into the stream.
  if (event.type.empty() && event.action.empty() && says_absent(text))
    return Err{ErrorKind::refused, "the engine ended its events: " + error_message(text, 500)};
  if (event.action == "died") event.action = "die";
  if (event.action == "remove" && event.type == "container") event.action = "destroy";
  // Podman's name for the exit code; Docker's is what the rest of plumb reads.
  const auto code = event.attributes.find("containerExitCode");
  if (code != event.attributes.end()) event.attributes.emplace("exitCode", code->second);
  return event;
}

}  // namespace plumb::docker
