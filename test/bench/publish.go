package main

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"time"

	"github.com/laminadev/lamina/internal/lambda"
	"github.com/laminadev/lamina/internal/lambdatest"
)

// publish measures a layer of 12,000 files and 250 MB: to the answer, and until a function can mount it (which is when a
// function that has it becomes Active), against unzip -q. What is unpacked stays until the end of the run: a file system that
// has just freed thousands of inodes is slow to give new ones, and the next publication would pay for it.
func (b *bench) publish() error {
	var layer bytes.Buffer
	if err := lambdatest.BenchLayer(&layer); err != nil {
		return err
	}
	if layer.Len() > lambda.MaxZipSize {
		return fmt.Errorf("the layer has %d bytes: too many to be published", layer.Len())
	}
	file := filepath.Join(b.work, "layer.zip")
	if err := os.WriteFile(file, layer.Bytes(), 0o644); err != nil {
		return err
	}
	var answered, mountable, unzipped []time.Duration
	for i := range b.rounds(5) {
		a, m, err := b.publishOnce(layer.Bytes())
		if err != nil {
			return err
		}
		if err := b.rest(); err != nil {
			return err
		}
		dir := filepath.Join(b.work, fmt.Sprintf("unzipped-%d", i))
		began := time.Now()
		if out, err := exec.Command("unzip", "-q", file, "-d", dir).CombinedOutput(); err != nil {
			return fmt.Errorf("unzip: %w\n%s", err, out)
		}
		unzipped = append(unzipped, time.Since(began))
		answered, mountable = append(answered, a), append(mountable, m)
	}
	b.table.compare("publish 250 MB until mountable | unzip -q", median(mountable), median(unzipped), 1.3, 0)
	b.table.note("publish 250 MB until the answer", ms(median(answered)), ms(median(unzipped)), ratio(median(answered), median(unzipped)))
	return nil
}

// publishOnce publishes on a fresh server: nothing of the layer is known.
func (b *bench) publishOnce(layer []byte) (answered, mountable time.Duration, err error) {
	s, err := b.serve()
	if err != nil {
		return 0, 0, err
	}
	defer s.stop()
	if err := b.rest(); err != nil {
		return 0, 0, err
	}
	began := time.Now()
	arn, err := s.publish("big", layer)
	if err != nil {
		return 0, 0, err
	}
	answered = time.Since(began)
	err = s.create("big", "provided.al2023", lambdatest.CustomFunction("#!/bin/sh\n"), arn)
	return answered, time.Since(began), err
}
