#include "plugins/backup/formats/all.h"

namespace reprise::backup {

std::vector<std::unique_ptr<Decoder>> AllDecoders() {
  std::vector<std::unique_ptr<Decoder>> decoders;
  for (auto* make : {// By their first bytes.
                     MakeGzip, MakeXz, MakeZstd, MakeBzip2, MakeZip, MakePng, MakeJpeg, MakeGif, MakePdf, MakeSqlite,
                     MakePgDump, MakeDicom, MakeSealed, MakeTar, MakeArchive,
                     // By name, or because it reads like it: the most particular first.
                     MakeXml, MakePgBlobs, MakeMbox, MakeMail, MakeSql, MakeJson, MakeJsonLines, MakeText, MakeCsv}) {
    decoders.push_back(make());
  }
  return decoders;
}

}  // namespace reprise::backup
