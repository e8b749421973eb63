package lambdatest

import (
	"bufio"
	"bytes"
	"fmt"
	"io"
	"math"
	"math/rand/v2"
	"strings"

	"github.com/klauspost/compress/zip"
)

// What BenchLayer writes.
const (
	BenchFiles = 12_000
	BenchSize  = 250_000_000 // bytes unzipped
)

// BenchLayer writes the layer that benchmarks publish: 12,000 files in some 1,300 directories, 250 MB, under 50 MiB as a
// zip. Sizes are spread like those of an installed set of Python packages: many small sources, some data, a few large
// libraries. It is the same for everyone: the seed is fixed.
func BenchLayer(w io.Writer) error { return BenchLayerOf(w, BenchFiles, BenchSize) }

// BenchLayerOf writes a layer of that kind with another number of files and of bytes.
func BenchLayerOf(w io.Writer, files, size int) error {
	g := &benchLayer{rand: rand.New(rand.NewPCG(20260101, 4566)), zip: zip.NewWriter(w)}
	g.makeLines()
	sizes := g.sizes(files, size)
	for i, size := range sizes {
		if err := g.file(i, size); err != nil {
			return err
		}
	}
	return g.zip.Close()
}

type benchLayer struct {
	rand  *rand.Rand
	zip   *zip.Writer
	lines []string

	subject int // where in lines the file's own lines begin
}

// sizes draws a size for each file (log-normal, a median of a few kilobytes) and scales them to the exact total.
func (g *benchLayer) sizes(files, all int) []int {
	sizes := make([]int, files)
	var drawn float64
	for i := range sizes {
		sizes[i] = int(math.Exp(8.6 + 1.4*g.rand.NormFloat64()))
		if i%400 == 399 {
			sizes[i] = 1_500_000 + g.rand.IntN(2_500_000) // a library
		}
		drawn += float64(sizes[i])
	}
	total := 0
	for i := range sizes {
		sizes[i] = int(float64(sizes[i]) * float64(all) / drawn)
		total += sizes[i]
	}
	sizes[len(sizes)-1] += all - total
	return sizes
}

// makeLines draws the lines that the sources are made of.
func (g *benchLayer) makeLines() {
	words := make([]string, 3000)
	for i := range words {
		b := make([]byte, 2+g.rand.IntN(9))
		for j := range b {
			b[j] = "etaoinshrdlucmfwypvbgkjqxz_"[min(g.rand.IntN(27), g.rand.IntN(27))]
		}
		words[i] = string(b)
	}
	g.lines = make([]string, 4000)
	for i := range g.lines {
		var s strings.Builder
		s.WriteString(strings.Repeat("    ", g.rand.IntN(4)))
		for range 2 + g.rand.IntN(7) {
			s.WriteString(words[min(g.rand.IntN(len(words)), g.rand.IntN(len(words)))])
			s.WriteByte(" .(=,:"[g.rand.IntN(6)])
		}
		s.WriteByte('\n')
		g.lines[i] = s.String()
	}
}

func (g *benchLayer) file(i, size int) error {
	name := fmt.Sprintf("python/package%02d/module%02d/file%05d.py", i%60, i/60%20, i)
	library := size > 1_000_000
	h := &zip.FileHeader{Name: name, Method: zip.Deflate, Modified: Time}
	h.SetMode(0o644)
	if library {
		h.Name = strings.TrimSuffix(name, ".py") + ".so"
		h.SetMode(0o755)
	}
	f, err := g.zip.CreateHeader(h)
	if err != nil {
		return err
	}
	w := bufio.NewWriterSize(f, 64<<10)
	for size > 0 {
		var line string
		if library {
			line = g.code()
		} else {
			line = g.source()
		}
		line = line[:min(len(line), size)]
		size -= len(line)
		w.WriteString(line) // its error stays until Flush
	}
	return w.Flush()
}

// source gives lines of a source file: a few known ones again and again, as in a file that has one subject, others now and
// then, and a number of its own here and there.
func (g *benchLayer) source() string {
	near := g.subject + g.rand.IntN(20)
	if g.rand.IntN(20) == 0 {
		near = g.rand.IntN(len(g.lines))
	}
	if g.rand.IntN(80) == 0 {
		g.subject = g.rand.IntN(len(g.lines) - 24)
	}
	line := g.lines[near] + g.lines[near/2]
	if g.rand.IntN(20) == 0 {
		line += fmt.Sprintf("    self.%x = 0x%x\n", g.rand.Uint32N(1<<16), g.rand.Uint32N(1<<20))
	}
	return line
}

// code gives some bytes of a library: instructions that repeat, and addresses that do not.
func (g *benchLayer) code() string {
	var b [32]byte
	n := g.rand.IntN(256)
	for i := range b {
		b[i] = byte(n*7 + i*n)
	}
	b[4], b[5] = byte(g.rand.Uint32()), byte(g.rand.Uint32())
	return string(b[:])
}

// changed picks a tenth of the files, and as they lie in BenchLayer, a tenth of the libraries too, which are a third of the
// bytes: the last of 400 files is one.
func changed(i int) bool { return i%10 == i/400%10 }

// ChangeTenth gives a zip of BenchLayer again with a tenth of its files and of its bytes changed by a version's number; the
// others keep theirs.
func ChangeTenth(old []byte, version int) ([]byte, error) {
	r, err := zip.NewReader(bytes.NewReader(old), int64(len(old)))
	if err != nil {
		return nil, err
	}
	var out bytes.Buffer
	w := zip.NewWriter(&out)
	for i, f := range r.File {
		if changed(i) {
			err = changeFile(w, f, version)
		} else {
			err = w.Copy(f)
		}
		if err != nil {
			return nil, err
		}
	}
	err = w.Close()
	return out.Bytes(), err
}

func changeFile(w *zip.Writer, f *zip.File, version int) error {
	r, err := f.Open()
	if err != nil {
		return err
	}
	defer r.Close()
	h := f.FileHeader
	to, err := w.CreateHeader(&zip.FileHeader{Name: h.Name, Method: h.Method, Modified: h.Modified, ExternalAttrs: h.ExternalAttrs, CreatorVersion: h.CreatorVersion})
	if err != nil {
		return err
	}
	if _, err := fmt.Fprintf(to, "# version %d\n", version); err != nil {
		return err
	}
	_, err = io.Copy(to, r)
	return err
}
