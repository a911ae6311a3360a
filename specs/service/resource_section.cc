#include "specs/service/resource_section.h"
#include "specs/value/text.h"

namespace plumb {

void read_resource(SectionReader& reader, Resource& resource) {
  resource.id = reader.section().name;
  resource.where = reader.section().where;
  resource.optional = reader.boolean("optional");
  resource.disable = reader.boolean("disable");
  resource.standby = reader.boolean("standby");
  resource.monitor = reader.boolean("monitor");
  if (const auto restart = reader.integer("restart", 0, 1000)) resource.restart = static_cast<int>(restart->value);
  for (auto& tag : reader.words("tags")) {
    if (tag.value == "noaction")
      reader.report().error(
          tag.where,
          "tag " + in_quotes(tag.value) + " of [" + resource.id + "] is not supported by this version of plumb",
          "write disable = true, and plumb leaves the resource alone");
    resource.tags.push_back(std::move(tag.value));
  }
}

}  // namespace plumb
