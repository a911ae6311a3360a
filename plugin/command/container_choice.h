// Which container of a service somebody means.
//
// Threads: pure. Privilege: none.
#pragma once

#include <string>

#include "specs/service/service.h"
#include "specs/value/result.h"

namespace plumb {

// `word`: a resource's id (container#db), what follows the # in it (db), or a container's name. Errors: usage, with
// those that there are.
[[nodiscard]] Result<const ContainerResource*> choose_container(const Service& service, const std::string& word);

// Whether it is nothing but the holder of a namespace: it runs no program of its own.
[[nodiscard]] bool is_pause(const Service& service, const ContainerResource& container);

}  // namespace plumb
