// Every decoder, in the order in which they are asked.
#pragma once

#include <memory>
#include <vector>

#include "plugins/backup/judge/decoder.h"

namespace reprise::backup {

std::vector<std::unique_ptr<Decoder>> AllDecoders();

// Each file of this folder makes its own.
std::unique_ptr<Decoder> MakeGzip();
std::unique_ptr<Decoder> MakeXz();
std::unique_ptr<Decoder> MakeZstd();
std::unique_ptr<Decoder> MakeBzip2();
std::unique_ptr<Decoder> MakeTar();
std::unique_ptr<Decoder> MakeZip();
std::unique_ptr<Decoder> MakeArchive();
std::unique_ptr<Decoder> MakePng();
std::unique_ptr<Decoder> MakeJpeg();
std::unique_ptr<Decoder> MakeGif();
std::unique_ptr<Decoder> MakePdf();
std::unique_ptr<Decoder> MakeSqlite();
std::unique_ptr<Decoder> MakePgDump();
std::unique_ptr<Decoder> MakePgBlobs();
std::unique_ptr<Decoder> MakeDicom();
std::unique_ptr<Decoder> MakeSealed();
std::unique_ptr<Decoder> MakeJson();
std::unique_ptr<Decoder> MakeJsonLines();
std::unique_ptr<Decoder> MakeXml();
std::unique_ptr<Decoder> MakeMbox();
std::unique_ptr<Decoder> MakeMail();
std::unique_ptr<Decoder> MakeSql();
std::unique_ptr<Decoder> MakeCsv();
std::unique_ptr<Decoder> MakeText();

}  // namespace reprise::backup
