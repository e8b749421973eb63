package main

import (
	"fmt"
	"path/filepath"
	"time"
)

const trivial = "def handler(event, context):\n    return event\n"

const withLayers = `import boto3
import flask
import jinja2
import requests
import yaml


def handler(event, context):
    return [m.__name__ for m in (boto3, flask, jinja2, requests, yaml)]
`

// cold measures the first invocation of functions, from the HTTP request to the answer.
func (b *bench) cold() error {
	ours, floor, err := b.coldStarts("trivial", trivial, nil, b.rounds(21))
	if err != nil {
		return err
	}
	b.table.compare("cold start, trivial function | bare interpreter", ours, floor, 0, 15*time.Millisecond)
	return nil
}

// coldLayers is the same with five layers of real packages.
func (b *bench) coldLayers() error {
	layers, err := b.layers()
	if err != nil {
		return err
	}
	ours, floor, err := b.coldStarts("layers", withLayers, layers, b.rounds(15))
	if err != nil {
		return err
	}
	b.table.compare("cold start, five layers | bare interpreter", ours, floor, 1.1, 0)
	return nil
}

func (b *bench) coldStarts(name, source string, layers []string, rounds int) (ours, floor time.Duration, err error) {
	runtime, err := b.bootstrapFolder()
	if err != nil {
		return 0, 0, err
	}
	handler, zipped, err := b.handler(name, source)
	if err != nil {
		return 0, 0, err
	}
	s, err := b.serve()
	if err != nil {
		return 0, 0, err
	}
	defer s.stop()
	var arns, folders []string
	for _, l := range layers {
		z, err := zipFolder(l)
		if err != nil {
			return 0, 0, err
		}
		arn, err := s.publish(filepath.Base(l), z)
		if err != nil {
			return 0, 0, err
		}
		arns = append(arns, arn)
		folders = append(folders, filepath.Join(l, "python"))
	}
	var mine, bare []time.Duration
	for i := range rounds + 1 {
		f := fmt.Sprintf("%s-%d", name, i)
		if err := s.create(f, b.python.runtime, zipped, arns...); err != nil {
			return 0, 0, err
		}
		m, err := s.invoke(f, []byte(`{"n":1}`))
		if err != nil {
			return 0, 0, err
		}
		n, err := b.bare(runtime, handler, folders...)
		if err != nil {
			return 0, 0, err
		}
		if i > 0 { // the first fills the page cache
			mine, bare = append(mine, m), append(bare, n)
		}
	}
	return median(mine), median(bare), nil
}
