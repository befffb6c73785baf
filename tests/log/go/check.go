// Command check reads what our code wrote with Go's own note and tlog packages.
//
// It takes one JSON object on standard input and answers with one on standard
// output; whatever does not hold ends it with a message.
package main

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"
)

type inclusion struct {
	Index int64
	Leaf  tlog.Hash
	Proof []tlog.Hash
}

type consistency struct {
	Size  int64
	Root  tlog.Hash
	Proof []tlog.Hash
}

type question struct {
	Vkey, Skey, Note string
	Tiles            string // the folder above tile/
	Size             int64
	Root             tlog.Hash
	Inclusion        []inclusion
	Consistency      []consistency
}

type answer struct {
	Text   string // of the note, once its signature has been verified
	Signed string // the same text, signed by Go
}

func main() {
	var asked question
	check(json.NewDecoder(os.Stdin).Decode(&asked))
	opened := openNote(asked)
	checkProofs(asked)
	checkTiles(asked)
	check(json.NewEncoder(os.Stdout).Encode(answer{opened.Text, sign(asked, opened.Text)}))
}

func openNote(asked question) *note.Note {
	verifier, err := note.NewVerifier(asked.Vkey)
	check(err)
	opened, err := note.Open([]byte(asked.Note), note.VerifierList(verifier))
	check(err)
	return opened
}

func sign(asked question, text string) string {
	signer, err := note.NewSigner(asked.Skey)
	check(err)
	signed, err := note.Sign(&note.Note{Text: text}, signer)
	check(err)
	return string(signed)
}

func checkProofs(asked question) {
	for _, one := range asked.Inclusion {
		check(tlog.CheckRecord(one.Proof, asked.Size, asked.Root, one.Index, one.Leaf))
	}
	for _, one := range asked.Consistency {
		check(tlog.CheckTree(one.Proof, asked.Size, asked.Root, one.Size, one.Root))
	}
}

// checkTiles has Go read our tiles, which it compares with the root, and make the
// same proofs from them.
func checkTiles(asked question) {
	reader := tlog.TileHashReader(tlog.Tree{N: asked.Size, Hash: asked.Root}, folder(asked.Tiles))
	for _, one := range asked.Inclusion {
		proof, err := tlog.ProveRecord(asked.Size, one.Index, reader)
		check(err)
		same("inclusion", proof, one.Proof)
	}
	for _, one := range asked.Consistency {
		proof, err := tlog.ProveTree(asked.Size, one.Size, reader)
		check(err)
		same("consistency", proof, one.Proof)
	}
}

type folder string

func (f folder) Height() int { return 8 }

func (f folder) ReadTiles(tiles []tlog.Tile) ([][]byte, error) {
	var all [][]byte
	for _, tile := range tiles {
		// Go puts the height into the path; c2sp.org/tlog-tiles fixes it.
		path := strings.Replace(tile.Path(), "tile/8/", "tile/", 1)
		data, err := os.ReadFile(filepath.Join(string(f), path))
		if err != nil {
			return nil, err
		}
		all = append(all, data)
	}
	return all, nil
}

func (f folder) SaveTiles([]tlog.Tile, [][]byte) {}

func same(what string, left, right []tlog.Hash) {
	if fmt.Sprint(left) != fmt.Sprint(right) {
		check(fmt.Errorf("another %s proof: %v, not %v", what, left, right))
	}
}

func check(err error) {
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}
