# What an installation has, in five parts, and a Debian package of each: `cpack` in the build folder.
#   coordinator   the program and its unit              agent   the program and its unit
#   operator      the command `reprise`, the plugins    sdk     headers for plugin authors, schemas for editors
#   plugin-host   the program that loads plugins: agents need it, and operators who describe or verify one
include(GNUInstallDirs)
set(CMAKE_INSTALL_DEFAULT_DIRECTORY_PERMISSIONS OWNER_READ OWNER_WRITE OWNER_EXECUTE GROUP_READ GROUP_EXECUTE WORLD_READ WORLD_EXECUTE)

install(TARGETS reprise-coordinator RUNTIME COMPONENT coordinator)
install(TARGETS reprise-agent RUNTIME COMPONENT agent)
# Beside the plugin host: the programs of the plugin backup, which reader hosts need, and operators who judge alone.
install(TARGETS reprise-plugin-host reprise-backup-judge reprise-backup-holder RUNTIME COMPONENT plugin-host)
install(TARGETS reprise RUNTIME COMPONENT operator)
foreach(plugin host package edr backup bubble agiletime maincare pacs lis sanitize)
  if(TARGET plugin_${plugin})
    install(TARGETS plugin_${plugin} LIBRARY DESTINATION ${CMAKE_INSTALL_LIBDIR}/reprise/plugins COMPONENT operator)
  endif()
endforeach()

set(REPRISE_BIN ${CMAKE_INSTALL_FULL_BINDIR})
foreach(unit coordinator agent)
  configure_file(cmake/units/reprise-${unit}.service.in ${CMAKE_BINARY_DIR}/units/reprise-${unit}.service @ONLY)
  install(FILES ${CMAKE_BINARY_DIR}/units/reprise-${unit}.service DESTINATION lib/systemd/system COMPONENT ${unit})
endforeach()
install(DIRECTORY plugins/api plugins/sdk DESTINATION ${CMAKE_INSTALL_INCLUDEDIR}/reprise/plugins COMPONENT sdk
  FILES_MATCHING PATTERN "*.h" PATTERN "skeleton" EXCLUDE)
install(DIRECTORY docs/schema DESTINATION ${CMAKE_INSTALL_DATADIR}/reprise COMPONENT sdk FILES_MATCHING PATTERN "*.json")

set(CPACK_GENERATOR DEB)
set(CPACK_PACKAGE_NAME reprise)
set(CPACK_PACKAGE_VENDOR "Reprise")
set(CPACK_PACKAGE_CONTACT "Reprise <reprise@localhost>")
set(CPACK_PACKAGE_DESCRIPTION_SUMMARY "Rebuilds a hospital's information system, host by host, in signed plans")
set(CPACK_COMPONENTS_ALL coordinator agent plugin-host operator sdk)
set(CPACK_DEB_COMPONENT_INSTALL ON)
set(CPACK_DEBIAN_PACKAGE_SHLIBDEPS ON)
set(CPACK_DEBIAN_FILE_NAME DEB-DEFAULT)
set(CPACK_DEBIAN_AGENT_PACKAGE_DEPENDS "reprise-plugin-host (= ${PROJECT_VERSION})")
set(CPACK_DEBIAN_PLUGIN-HOST_PACKAGE_DEPENDS "bubblewrap")
set(CPACK_DEBIAN_OPERATOR_PACKAGE_DEPENDS "reprise-plugin-host (= ${PROJECT_VERSION})")
set(CPACK_DEBIAN_OPERATOR_PACKAGE_RECOMMENDS "minisign")
set(CPACK_STRIP_FILES ON)
include(CPack)
