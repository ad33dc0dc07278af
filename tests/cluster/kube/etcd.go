package main

import (
	"errors"
	"net/url"

	"go.etcd.io/etcd/server/v3/embed"
)

// runEtcd serves an etcd of one member until it fails. It does not wait for the disk: nothing outlives a test.
func runEtcd(args []string) error {
	if len(args) != 3 {
		return errors.New("etcd wants DIR CLIENT_URL PEER_URL")
	}
	client, err := url.Parse(args[1])
	if err != nil {
		return err
	}
	peer, err := url.Parse(args[2])
	if err != nil {
		return err
	}
	config := embed.NewConfig()
	config.Dir, config.LogLevel, config.UnsafeNoFsync = args[0], "warn", true
	config.ListenClientUrls, config.AdvertiseClientUrls = []url.URL{*client}, []url.URL{*client}
	config.ListenPeerUrls, config.AdvertisePeerUrls = []url.URL{*peer}, []url.URL{*peer}
	config.InitialCluster = config.InitialClusterFromName(config.Name)
	etcd, err := embed.StartEtcd(config)
	if err != nil {
		return err
	}
	return <-etcd.Err()
}
