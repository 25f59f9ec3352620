"""The part of RunPod's GraphQL schema that is emulated: pods, GPU types, the account."""

POD_FIELDS = """
  name: String, imageName: String, cloudType: CloudTypeEnum, startSsh: Boolean
  startJupyter: Boolean, gpuTypeId: String, supportPublicIp: Boolean, gpuCount: Int
  volumeInGb: Int, volumeMountPath: String, containerDiskInGb: Int, minVcpuCount: Int
  minMemoryInGb: Int, minDownload: Int, minUpload: Int, allowedCudaVersions: [String]
  dataCenterId: String, countryCode: String, dockerArgs: String, ports: String
  env: [EnvironmentVariableInput], templateId: String, networkVolumeId: String
  containerRegistryAuthId: String, stopAfter: String, terminateAfter: String
"""
SDL = f"""
enum CloudTypeEnum {{ ALL SECURE COMMUNITY }}
input EnvironmentVariableInput {{ key: String!, value: String! }}
input GpuTypeFilter {{ id: String, ids: [String] }}
input GpuLowestPriceInput {{ gpuCount: Int!, secureCloud: Boolean, dataCenterId: String }}
input PodFilter {{ podId: String }}
input PodStopInput {{ podId: String! }}
input PodTerminateInput {{ podId: String! }}
input PodResumeInput {{ podId: String!, gpuCount: Int! }}
input PodBidResumeInput {{ podId: String!, bidPerGpu: Float!, gpuCount: Int! }}
input PodFindAndDeployOnDemandInput {{ {POD_FIELDS} }}
input PodRentInterruptableInput {{ bidPerGpu: Float!, {POD_FIELDS} }}

type LowestPrice {{ minimumBidPrice: Float, uninterruptablePrice: Float, stockStatus: String }}
type GpuType {{
  id: String, displayName: String, memoryInGb: Int, maxGpuCount: Int, manufacturer: String
  cudaCores: Int, secureCloud: Boolean, communityCloud: Boolean, securePrice: Float
  communityPrice: Float, oneMonthPrice: Float, threeMonthPrice: Float, oneWeekPrice: Float
  communitySpotPrice: Float, secureSpotPrice: Float
  lowestPrice(input: GpuLowestPriceInput): LowestPrice
}}
type PodMachineInfo {{ podHostId: String, gpuDisplayName: String, dataCenterId: String }}
type PodRuntimePorts {{
  ip: String, isIpPublic: Boolean, privatePort: Int, publicPort: Int, type: String
}}
type PodRuntimeGpus {{ id: String, gpuUtilPercent: Int, memoryUtilPercent: Int }}
type PodRuntime {{
  uptimeInSeconds: Int, ports: [PodRuntimePorts], gpus: [PodRuntimeGpus]
}}
type Pod {{
  id: String!, name: String, imageName: String, env: [String], machineId: String
  machine: PodMachineInfo, desiredStatus: String, costPerHr: Float, containerDiskInGb: Int
  dockerArgs: String, dockerId: String, gpuCount: Int, lastStatusChange: String
  memoryInGb: Float, podType: String, port: Int, ports: String, uptimeSeconds: Int
  vcpuCount: Float, volumeInGb: Float, volumeMountPath: String, runtime: PodRuntime
}}
type NetworkVolume {{ id: String, name: String, size: Int, dataCenterId: String }}
type User {{
  id: ID, pubKey: String, clientBalance: Float, currentSpendPerHr: Float, spendLimit: Int
  minBalance: Float, underBalance: Boolean, pods: [Pod], networkVolumes: [NetworkVolume]
}}
type Query {{
  gpuTypes(input: GpuTypeFilter): [GpuType]
  pod(input: PodFilter): Pod
  myself: User
}}
type Mutation {{
  podFindAndDeployOnDemand(input: PodFindAndDeployOnDemandInput): Pod
  podRentInterruptable(input: PodRentInterruptableInput!): Pod
  podStop(input: PodStopInput!): Pod
  podResume(input: PodResumeInput!): Pod
  podBidResume(input: PodBidResumeInput!): Pod
  podTerminate(input: PodTerminateInput!): Boolean
}}
"""
