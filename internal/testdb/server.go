// Package testdb gives tests and benchmarks databases to throw away: SQLite files,
// and schemas on the PostgreSQL that BONAFIDE_TEST_PG names.
//
// To run a command with a PostgreSQL that lives as long as the command does:
//
//	go run ./internal/testdb/cmd/pg -- go test ./store
package testdb

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"slices"
	"strconv"
	"syscall"
	"time"
)

// Env names the environment variable that holds the URL of a PostgreSQL.
const Env = "BONAFIDE_TEST_PG"

// A Server is a PostgreSQL with its usual durability, in a folder of its own.
type Server struct {
	URL  string // postgres://…, reached over the loopback address
	dir  string
	port int
	bin  string
	cred *syscall.Credential // nil unless we are root, whom PostgreSQL refuses
	proc *exec.Cmd
}

// Start makes a new PostgreSQL and waits until it answers.
func Start(ctx context.Context) (*Server, error) {
	s := &Server{}
	var err error
	if s.bin, err = binaries(); err != nil {
		return nil, err
	}
	if s.dir, err = os.MkdirTemp("", "bonafide-pg-"); err != nil {
		return nil, err
	}
	if s.cred, err = unprivileged(); err == nil && s.cred != nil {
		err = os.Chown(s.dir, int(s.cred.Uid), int(s.cred.Gid))
	}
	if err == nil {
		s.port, err = freePort()
	}
	if err == nil {
		// With a language of its own the server sorts text as few programs expect; what
		// holds then holds in plain C too. Versions before 15 know C only.
		init := []string{"-D", s.data(), "-U", "postgres", "-A", "trust", "-E", "UTF8", "--locale=C.UTF-8"}
		if err = s.command(ctx, "initdb", append(init, "--locale-provider=icu", "--icu-locale=en")...).Run(); err != nil {
			err = s.command(ctx, "initdb", init...).Run()
		}
	}
	if err == nil {
		s.URL = fmt.Sprintf("postgres://postgres@127.0.0.1:%d/postgres?sslmode=disable", s.port)
		err = s.Run(ctx)
	}
	if err != nil {
		return nil, errors.Join(fmt.Errorf("start postgres: %w", err), s.Stop())
	}
	return s, nil
}

// Run starts the server again after [Server.Halt] and waits until it answers.
func (s *Server) Run(ctx context.Context) error {
	s.proc = s.command(context.WithoutCancel(ctx), "postgres", "-D", s.data(), "-k", s.dir, "-h", "127.0.0.1", "-p", strconv.Itoa(s.port))
	if err := s.proc.Start(); err != nil {
		return err
	}
	for range 300 {
		if s.command(ctx, "pg_isready", "-q", "-h", s.dir, "-p", strconv.Itoa(s.port)).Run() == nil {
			return nil
		}
		time.Sleep(100 * time.Millisecond)
	}
	return errors.New("it does not answer within 30 s")
}

// Halt ends the server at once and without warning its clients, as a fall of the
// machine does.
func (s *Server) Halt() error {
	if s.proc == nil || s.proc.Process == nil {
		return nil
	}
	err := s.proc.Process.Signal(syscall.SIGQUIT)
	_ = s.proc.Wait() // it ends with a status that says that it was told to
	s.proc = nil
	return err
}

// Stop ends the server and removes everything it wrote.
func (s *Server) Stop() error {
	return errors.Join(s.Halt(), os.RemoveAll(s.dir))
}

func (s *Server) data() string { return filepath.Join(s.dir, "data") }

func (s *Server) command(ctx context.Context, name string, args ...string) *exec.Cmd {
	c := exec.CommandContext(ctx, filepath.Join(s.bin, name), args...)
	c.Dir = s.dir
	c.Env = append(os.Environ(), "LC_ALL=C.UTF-8")
	if os.Getenv("BONAFIDE_TEST_PG_LOG") != "" {
		c.Stderr = os.Stderr
	}
	c.SysProcAttr = &syscall.SysProcAttr{Credential: s.cred}
	return c
}

// binaries finds PostgreSQL's programs where Debian puts them, the newest version
// first, or in the path.
func binaries() (string, error) {
	found, err := filepath.Glob("/usr/lib/postgresql/*/bin/initdb")
	if err != nil {
		return "", err
	}
	slices.Sort(found)
	if len(found) > 0 {
		return filepath.Dir(found[len(found)-1]), nil
	}
	path, err := exec.LookPath("initdb")
	if err != nil {
		return "", errors.New("PostgreSQL is missing: apt-get install postgresql")
	}
	return filepath.Dir(path), nil
}

// unprivileged returns who runs PostgreSQL where we are root.
func unprivileged() (*syscall.Credential, error) {
	if os.Geteuid() != 0 {
		return nil, nil
	}
	u, err := user.Lookup("postgres")
	if err != nil {
		u, err = user.Lookup("nobody")
	}
	if err != nil {
		return nil, err
	}
	uid, err := strconv.ParseUint(u.Uid, 10, 32)
	if err != nil {
		return nil, err
	}
	gid, err := strconv.ParseUint(u.Gid, 10, 32)
	if err != nil {
		return nil, err
	}
	return &syscall.Credential{Uid: uint32(uid), Gid: uint32(gid)}, nil
}

func freePort() (int, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return 0, err
	}
	defer l.Close()
	return l.Addr().(*net.TCPAddr).Port, nil
}
